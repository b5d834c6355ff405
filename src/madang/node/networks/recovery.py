"""Which pod has which address where the ledger does not say, or says it wrongly: from what runs.

In: a courtyard's home; the places where its pods' namespaces have names, or the range of their addresses. Out:
attachments by pod uid. A monitor's records name a pod and its processes; those live in a network namespace, or listen
somewhere, or were told their address when they were started.
"""

import ipaddress
import json
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from madang.node.networks import namespaces, sockets
from madang.node.networks.network import Attachment
from madang.node.runtimes.monitor import limits, record

ADDRESS = b"POD_IP="


def living(home: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(pod uid, record) of each monitor that runs; what cannot be read is none."""
    for found in sorted((home / "pods").glob(f"*/containers/*/*/{record.RUNNING}")):
        try:
            running: dict[str, Any] = json.loads(found.read_bytes())
            if record.alive(running["monitorPid"], running["monitorTicks"]):
                yield found.parts[-5], running
        except (OSError, ValueError, LookupError, TypeError):
            continue


def by_namespace(home: Path, folder: Path) -> dict[str, Attachment]:
    """On bridge: `folder` has a file for each address, which is its namespace."""
    places = {_identity(path): path for path in folder.glob("*") if namespaces.alive(path)}
    found = {}
    for uid, running in living(home):
        own = _identity(Path(f"/proc/{running['monitorPid']}/ns/net"))
        path = places.get(own) if own is not None else None
        if path is not None:
            found[uid] = Attachment(path.name, str(path))
    return found


def by_address(home: Path, cidr: str, known: Collection[str]) -> dict[str, Attachment]:
    """On loopback, of pods that are not `known`: where their processes listen in the range, else what the program was
    told."""
    span = ipaddress.IPv4Network(cidr)
    found: dict[str, Attachment] = {}
    listening = list(sockets.listeners())
    for uid, running in living(home):
        if uid in known:
            continue
        held = sockets.inodes([running["pid"], *limits.descendants(running["monitorPid"])])
        told = [one.ip for one in listening if one.inode in held] + _told(running["pid"])
        ip = next((ip for ip in told if _inside(ip, span)), None)
        if ip is not None:
            found.setdefault(uid, Attachment(ip))
    return found


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_dev, info.st_ino


def _told(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            pairs = file.read().split(b"\0")
    except OSError:
        return []
    return [os.fsdecode(pair[len(ADDRESS) :]) for pair in pairs if pair.startswith(ADDRESS)]


def _inside(ip: str, span: ipaddress.IPv4Network) -> bool:
    try:
        return ipaddress.IPv4Address(ip) in span
    except ValueError:
        return False
