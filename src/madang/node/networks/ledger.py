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
    def __init__(self, folder: Path, cidr: str, *, first: int = 2) -> None:
        """Offsets below `first` are the network's own (its address, the bridge)."""
        self._folder = folder
        self._range = ipaddress.IPv4Network(cidr)
        self._first = first
        folder.mkdir(parents=True, exist_ok=True)
        self._known = dict(self._load())
        self._used = {attachment.ip for attachment in self._known.values()}
        self._turn = max((self._offset(ip) for ip in self._used), default=first - 1)

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

    def next_ip(self) -> str:
        """The next free address; it is taken from now on."""
        span = self._range.num_addresses - 1 - self._first  # the last is for broadcast
        for step in range(1, span + 1):
            offset = self._first + (self._turn - self._first + step) % span
            ip = str(self._range.network_address + offset)
            if ip not in self._used:
                self._turn = offset
                self._used.add(ip)
                return ip
        raise RangeFull(28, f"all {span} pod addresses of {self._range} are in use: delete pods")

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
