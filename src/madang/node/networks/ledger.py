"""Which pod has which address: one small file a pod in the courtyard's home, so that a restart knows them again.

In: the range of pods' addresses. Out: addresses, given in turn, so that one just freed is not given again at once.
"""

import ipaddress
import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from madang.node.networks.network import Attachment
from madang.node.small_files import put

log = logging.getLogger(__name__)


class RangeFull(OSError):
    """Every address of the range is in use."""


class Ledger:
    def __init__(self, folder: Path, cidr: str, *, first: int = 2, last: int = 1) -> None:
        """Of the range, and of each part of it, the `first` and the `last` addresses are the network's own (its
        address, the bridge; broadcast)."""
        self._folder = folder
        self._range = ipaddress.IPv4Network(cidr)
        self._first, self._last = first, last
        folder.mkdir(parents=True, exist_ok=True)
        self._known = dict(self._load())
        self._used = {attachment.ip for attachment in self._known.values()}
        self._turns: dict[ipaddress.IPv4Network, int] = {}

    def _load(self) -> Iterator[tuple[str, Attachment]]:
        for path in self._folder.glob("*.json"):
            try:
                kept = json.loads(path.read_bytes())
                inside = ipaddress.IPv4Address(kept["ip"]) in self._range
                attachment = Attachment(kept["ip"], os.fspath(kept.get("netns", "")))
            except (ValueError, LookupError, TypeError, AttributeError) as fault:
                log.warning("%s is damaged (%s): what runs will tell the pod's address", path, fault)
                path.unlink()
                continue
            if inside:
                yield path.stem, attachment

    def _offset(self, ip: str) -> int:
        return int(ipaddress.IPv4Address(ip)) - int(self._range.network_address)

    @property
    def all(self) -> Mapping[str, Attachment]:
        return self._known

    def next_ip(self, cidr: str = "") -> str:
        """The next free address, of a part of the range where one is named; it is taken from now on."""
        part = ipaddress.IPv4Network(cidr) if cidr else self._range
        span = part.num_addresses - self._last - self._first
        turn = self._turns.get(part)
        if turn is None:
            offsets = [int(ipaddress.IPv4Address(ip)) - int(part.network_address) for ip in self._used]
            turn = max((one for one in offsets if 0 <= one < part.num_addresses), default=self._first - 1)
        for step in range(1, span + 1):
            offset = self._first + (turn - self._first + step) % span
            ip = str(part.network_address + offset)
            if ip not in self._used:
                self._turns[part] = offset
                self._used.add(ip)
                return ip
        raise RangeFull(28, f"all {span} pod addresses of {part} are in use: delete pods")

    def free(self, ip: str) -> None:
        self._used.discard(ip)

    def learn(self, found: Mapping[str, Attachment]) -> list[str]:
        """What runs is right, whatever was kept: the uids of which it says something else."""
        news = [
            uid
            for uid, attachment in found.items()
            if self._known.get(uid) != attachment and self._offset(attachment.ip) >= self._first
        ]
        held = {found[uid].ip for uid in news}
        for uid in [uid for uid, kept in self._known.items() if uid in news or kept.ip in held]:
            self.forget(uid)
        for uid in news:
            self.write(uid, found[uid])
            log.warning("pod %s has the address %s: found again from what runs", uid, found[uid].ip)
        return news

    def write(self, uid: str, attachment: Attachment) -> None:
        path = self._folder / f"{uid}.json"
        new = path.with_suffix(".new")
        put(new, json.dumps({"format": 1, "ip": attachment.ip, "netns": attachment.netns}).encode(), 0o644)
        os.replace(new, path)
        self._known[uid] = attachment
        self._used.add(attachment.ip)

    def forget(self, uid: str) -> Attachment | None:
        attachment = self._known.pop(uid, None)
        (self._folder / f"{uid}.json").unlink(missing_ok=True)
        if attachment is not None:
            self._used.discard(attachment.ip)
        return attachment
