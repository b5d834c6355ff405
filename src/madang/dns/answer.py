"""The answer to a question, from what the house knows; None: the question is somebody else's.

In: a name in small letters without its last dot, a type, a view of the committed state, the names of addresses. Out: a
`Reply`. Names lie below `cluster.local` as Kubernetes' DNS specification has them; addresses below the reverse zones
are answered where the courtyard has them, or the ranges that they are in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from madang.dns.records import HOST, Record, Reply, found, nothing, soa
from madang.dns.services import Named, address, undashed
from madang.kinds.external_name import ZONE
from madang.ports.objects import Obj
from madang.ports.view import View

SLICES, SERVICE_NAME = "endpointslices.discovery.k8s.io", "kubernetes.io/service-name"
VERSION = "1.1.0"
_HOPS = 8  # of an ExternalName that leads to another
_TOPS = ("svc", "pod", "dns")


@dataclass(frozen=True)
class Zone:
    """`here`: the server's own address. `ranges`: whose addresses nobody else can name. `reverse`: names by address."""

    view: View
    here: str
    ranges: Sequence[str]
    reverse: Mapping[str, Sequence[str]]

    def answer(self, name: str, asked: str) -> Reply | None:
        if name == ZONE or name.endswith(f".{ZONE}"):
            return self._inside(name, asked)
        if name.endswith((".in-addr.arpa", ".ip6.arpa")):
            return self._address(name, asked)
        return None

    def _inside(self, name: str, asked: str) -> Reply:
        match name.removesuffix(ZONE).rstrip(".").split("."):
            case [""]:
                return found(ZONE, [soa(ZONE), Record(ZONE, "NS", f"{HOST}.")], asked)
            case ["dns-version"]:
                return found(ZONE, [Record(name, "TXT", f'"{VERSION}"')], asked)
            case ["ns", "dns"]:
                return found(ZONE, [address(HOST, self.here)], asked)
            case [top]:
                return nothing(ZONE, exists=top in _TOPS)
            case [namespace, "svc" | "pod"]:
                return nothing(ZONE, exists=self.view.get("namespaces", "", namespace) is not None)
            case [label, namespace, "pod"]:
                return self._pod(name, asked, label, namespace)
            case [*labels, service, namespace, "svc"]:
                return self._service(name, asked, labels, (namespace, service))
            case _:
                return nothing(ZONE, exists=False)

    def _pod(self, name: str, asked: str, label: str, namespace: str) -> Reply:
        """Computed from the name, like everybody does it: whether such a pod is there is not looked at."""
        ip = undashed(label)
        if not ip or self.view.get("namespaces", "", namespace) is None:
            return nothing(ZONE, exists=False)
        return found(ZONE, [address(name, ip)], asked)

    def _service(self, name: str, asked: str, labels: list[str], place: tuple[str, str]) -> Reply:
        service = self.view.get("services", *place)
        if service is None:
            return nothing(ZONE, exists=False)
        named = self._named(service)
        if named.alias:
            return nothing(ZONE, exists=False) if labels else self._alias(name, asked, named.alias)
        more: list[Record] = []
        match labels:
            case []:
                records = named.own()
            case [port, protocol] if port.startswith("_") and protocol.startswith("_"):
                records, more = named.port(port[1:], protocol[1:])
            case [label] if label.startswith("_"):
                return nothing(ZONE, exists=named.has_protocol(label[1:]))
            case [label]:
                records = named.endpoint(label)
            case _:
                records = []
        return found(ZONE, records, asked, more) if records else nothing(ZONE, exists=False)

    def _alias(self, name: str, asked: str, target: str) -> Reply:
        """An ExternalName, followed as far as the house knows."""
        links = [Record(name, "CNAME", f"{target}.")]
        for _ in range(_HOPS) if asked != "CNAME" else ():
            target = target.lower()
            inner = self._place(target)
            beyond = self.view.get("services", *inner) if inner is not None else None
            if beyond is None or not (further := self._named(beyond).alias):
                rest = self.answer(target, asked)
                if rest is None:
                    return Reply(answer=tuple(links), follow=target)
                return replace(rest, answer=(*links, *rest.answer))
            links.append(Record(target, "CNAME", f"{further}."))
            target = further
        return Reply(answer=tuple(links))

    @staticmethod
    def _place(name: str) -> tuple[str, str] | None:
        match name.removesuffix(f".{ZONE}").split("."):
            case [service, namespace, "svc"] if name.endswith(f".{ZONE}"):
                return namespace, service
            case _:
                return None

    def _address(self, name: str, asked: str) -> Reply | None:
        ip = _reversed(name)
        if ip is None:
            return None
        apex = name.partition(".")[2]
        if names := self.reverse.get(str(ip)):
            return found(apex, [Record(name, "PTR", f"{n}.") for n in names], asked)
        ours = any(ip in ip_network(r) for r in self.ranges)
        return nothing(apex, exists=False) if ours else None

    def _named(self, service: Obj) -> Named:
        if service["spec"].get("clusterIP") != "None":
            return Named(service)
        meta = service["metadata"]
        return Named(service, self.view.list(SLICES, meta["namespace"], labels={SERVICE_NAME: meta["name"]}))


def reverse(view: View) -> dict[str, list[str]]:
    """All addresses that have names. As dear as there are Services: made once, until one of them changes."""
    zone, names = Zone(view, "", (), {}), dict[str, list[str]]()
    for service in view.list("services"):
        for ip, name in zone._named(service).reverse():
            if name not in names.setdefault(ip, []):
                names[ip].append(name)
    return names


def _reversed(name: str) -> IPv4Address | IPv6Address | None:
    labels = name.split(".")[-3::-1]
    try:
        if name.endswith(".in-addr.arpa"):
            return IPv4Address(".".join(labels))
        digits = "".join(labels)
        if len(labels) != 32 or len(digits) != 32:
            return None
        return ip_address(":".join(digits[i : i + 4] for i in range(0, 32, 4)))
    except ValueError:
        return None
