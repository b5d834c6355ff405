"""The names that a pod finds in its /etc/hosts: itself, its aliases, the Services.

In: pod, address, Services and their EndpointSlices. Out: the file's text (pure) in two parts, the pod's own and what
its namespace shares; and `write`, which keeps the file's inode, since a file that is bind-mounted is seen by its
inode.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from madang.kinds import external_name
from madang.kinds.external_name import ZONE
from madang.node import small_files
from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN

_HOPS = 8  # of an ExternalName that leads to another
# The first line is a kubelet's own: programs tell by it whose file this is.
_HEADER, _HEADER_OF_HOST = "# Kubernetes-managed hosts file.", "# Kubernetes-managed hosts file (host network)."
_ALIASES = "# Entries added by HostAliases."
_OWN = """# Madang keeps it: what is written here is lost.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
"""


def hosts(pod: Obj, ip: str, services: Sequence[Obj], slices: Mapping[tuple[str, str], Sequence[Obj]]) -> str:
    """`slices` are EndpointSlices by (namespace, service name)."""
    return own(pod, ip) + shared(pod["metadata"].get("namespace", ""), services, slices)


def own(pod: Obj, ip: str) -> str:
    """What stands in this pod's file alone."""
    lines = [f"{ip}\t{' '.join(_own_names(pod, hostname(pod)))}"] if ip else []
    aliases = pod["spec"].get("hostAliases") or ()
    lines += [_ALIASES] if aliases else []
    lines += ["\t".join((alias["ip"], *(alias.get("hostnames") or ()))) for alias in aliases]
    header = _HEADER_OF_HOST if pod["spec"].get("hostNetwork") else _HEADER
    return f"{header}\n{_OWN}" + "".join(line + "\n" for line in lines)


def shared(namespace: str, services: Sequence[Obj], slices: Mapping[tuple[str, str], Sequence[Obj]]) -> str:
    """What all pods of a namespace see."""
    known = by_key(services)
    lines: list[str] = []
    for service in services:
        names = service_names(service, namespace)
        target = meant(service, known)
        for address in _addresses(target, slices) if target is not None else ():
            lines.append(f"{address}\t{' '.join(names)}")
        if service["spec"].get("clusterIP") == "None":
            lines += _endpoint_names(service, slices)
    return "".join(line + "\n" for line in lines)


def by_key(services: Iterable[Obj]) -> dict[tuple[str, str], Obj]:
    return {(s["metadata"].get("namespace", ""), s["metadata"]["name"]): s for s in services}


def meant(service: Obj, known: Mapping[tuple[str, str], Obj]) -> Obj | None:
    """The Service itself, or the one that an ExternalName leads to: its name is then one more of that. None where it
    leads out of the house: no file can follow a name whose address is somebody else's to change."""
    for _ in range(_HOPS):
        if service["spec"].get("type") != "ExternalName":
            return service
        place = external_name.target(service["spec"])
        found = known.get(place) if place is not None else None
        if found is None:
            return None
        service = found
    return None


def hostname(pod: Obj) -> str:
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:63]


def _own_names(pod: Obj, name: str) -> list[str]:
    subdomain = pod["spec"].get("subdomain")
    if not subdomain:
        return [name]
    return [f"{name}.{subdomain}.{pod['metadata'].get('namespace', '')}.svc.{ZONE}", name]


def service_names(service: Obj, namespace: str) -> list[str]:
    """All names of a Service as they are seen from `namespace`: the short ones only from its own."""
    meta = service["metadata"]
    name, own = meta["name"], meta.get("namespace", "")
    dotted = [f"{name}.{own}", f"{name}.{own}.svc", f"{name}.{own}.svc.{ZONE}"]
    if own != namespace:
        return dotted
    text = (meta.get("annotations") or {}).get(f"{DOMAIN}/aliases", "")
    aliases = [a.strip() for a in text.split(",") if a.strip() and a.strip() != name]
    return [name, *aliases, *dotted]


def _addresses(service: Obj, slices: Mapping[tuple[str, str], Sequence[Obj]]) -> list[str]:
    ip = service["spec"].get("clusterIP") or ""
    if not ip:
        return []
    if ip != "None":
        return [ip]
    return [a for e in _ready(service, slices) for a in e.get("addresses") or ()]


def _endpoint_names(service: Obj, slices: Mapping[tuple[str, str], Sequence[Obj]]) -> list[str]:
    """HOSTNAME.SERVICE names of a headless Service's endpoints."""
    meta, lines = service["metadata"], []
    tail = f"{meta['name']}.{meta.get('namespace', '')}"
    for e in _ready(service, slices):
        if e.get("hostname"):
            stem = f"{e['hostname']}.{tail}"
            names = f"{e['hostname']}.{meta['name']} {stem} {stem}.svc {stem}.svc.{ZONE}"
            lines += [f"{a}\t{names}" for a in e.get("addresses") or ()]
    return lines


def _ready(service: Obj, slices: Mapping[tuple[str, str], Sequence[Obj]]) -> list[Obj]:
    meta = service["metadata"]
    eager = service["spec"].get("publishNotReadyAddresses", False)
    return [
        e
        for s in slices.get((meta.get("namespace", ""), meta["name"]), ())
        for e in s.get("endpoints") or ()
        if eager or (e.get("conditions") or {}).get("ready", True)
    ]


def write(path: Path, text: str) -> bool:
    """Bring the file up to date in place, without a moment in which it is empty. Whether it changed."""
    data = text.encode()
    try:
        with open(path, "rb", buffering=0) as present:
            if present.read() == data:
                return False
    except FileNotFoundError:
        os.makedirs(path.parent, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        small_files.write(fd, data)
        os.ftruncate(fd, len(data))
    finally:
        os.close(fd)
    return True
