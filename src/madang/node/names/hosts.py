"""The names that a pod finds in its /etc/hosts: itself, its aliases, the Services.

In: pod, address, Services and their EndpointSlices. Out: the file's text (pure), and `write`, which keeps the file's
inode, since a file that is bind-mounted is seen by its inode.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN

ZONE = "cluster.local"
_OWN = """# Madang keeps this file (like a kubelet does): what is written here is lost.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
"""


def hosts(pod: Obj, ip: str, services: Iterable[Obj], slices: Mapping[tuple[str, str], Sequence[Obj]]) -> str:
    """`slices` are EndpointSlices by (namespace, service name)."""
    meta, body = pod["metadata"], pod["spec"]
    name = hostname(pod)
    lines = [f"{ip}\t{' '.join(_own_names(pod, name))}"] if ip else []
    for alias in body.get("hostAliases") or ():
        lines.append(f"{alias['ip']}\t{' '.join(alias.get('hostnames') or ())}")
    for service in services:
        names = service_names(service, meta.get("namespace", ""))
        for address in _addresses(service, slices):
            lines.append(f"{address}\t{' '.join(names)}")
        if service["spec"].get("clusterIP") == "None":
            lines += _endpoint_names(service, slices)
    return _OWN + "".join(line + "\n" for line in lines)


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
    if service["spec"].get("type") == "ExternalName" or not ip:
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
    """Bring the file up to date in place. Whether it changed."""
    try:
        if path.read_text() == text:
            return False
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as f:
        f.write(text)
    return True
