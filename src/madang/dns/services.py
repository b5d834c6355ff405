"""The names of one Service, as Kubernetes' DNS specification has them (schema 1.1.0).

In: a Service, its EndpointSlices. Out: the records of the Service's own name, of its endpoints' and of its named
ports'; for addresses, the names that they have. Only ready endpoints have names, unless the Service publishes all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address

from madang.dns.records import Record, Type
from madang.kinds.external_name import ZONE
from madang.ports.objects import Obj


@dataclass(frozen=True)
class Named:
    """`slices` are needed of headless Services alone."""

    service: Obj
    slices: Sequence[Obj] = ()

    @cached_property
    def name(self) -> str:
        meta = self.service["metadata"]
        return f"{meta['name']}.{meta.get('namespace', '')}.svc.{ZONE}"

    @property
    def alias(self) -> str:
        """Of an ExternalName: what it stands for."""
        spec = self.service["spec"]
        return str(spec.get("externalName") or "").rstrip(".") if spec.get("type") == "ExternalName" else ""

    @property
    def addresses(self) -> list[str]:
        """Its own; none has a headless one."""
        spec = self.service["spec"]
        own = spec.get("clusterIPs") or [spec.get("clusterIP") or ""]
        return [a for a in own if a not in ("", "None")]

    @property
    def headless(self) -> bool:
        return bool(self.service["spec"].get("clusterIP") == "None")

    def own(self) -> list[Record]:
        """A headless Service without ready endpoints has none, and then no such name is there."""
        addresses = [a for _, a, _ in self._endpoints()] if self.headless else self.addresses
        return [address(self.name, a) for a in addresses]

    def endpoint(self, label: str) -> list[Record]:
        return [address(f"{label}.{self.name}", a) for name, a, _ in self._endpoints() if name == label]

    def port(self, name: str, protocol: str) -> tuple[list[Record], list[Record]]:
        """SRV records of a named port, and the addresses of those that they lead to."""
        owner = f"_{name}._{protocol}.{self.name}"
        if not self.headless:
            numbers = [p["port"] for p in self.service["spec"].get("ports") or () if called(p, name, protocol)]
            records = [Record(owner, "SRV", f"0 100 {n} {self.name}.") for n in numbers]
            return records, self.own() if records else []
        records, more = [], []
        for label, ip, ports in self._endpoints():
            target = f"{label}.{self.name}"
            for p in ports:
                if p.get("port") and called(p, name, protocol):
                    records.append(Record(owner, "SRV", f"0 100 {p['port']} {target}."))
                    more.append(address(target, ip))
        return records, more

    def has_protocol(self, protocol: str) -> bool:
        """Whether `_PROTOCOL.NAME` is a name above others."""
        ports = [p for _, _, known in self._endpoints() for p in known] if self.headless else self._declared()
        return any(p.get("name") and p.get("protocol", "TCP").lower() == protocol for p in ports)

    def reverse(self) -> Iterator[tuple[str, str]]:
        """Addresses, and what they are called."""
        for ip in self.addresses:
            yield ip, self.name
        for label, ip, _ in self._endpoints():
            yield ip, f"{label}.{self.name}"

    def _declared(self) -> Sequence[Obj]:
        return self.service["spec"].get("ports") or ()

    def _endpoints(self) -> Iterator[tuple[str, str, Sequence[Obj]]]:
        """Name, address and ports of each."""
        eager = self.service["spec"].get("publishNotReadyAddresses", False)
        for one in self.slices if self.headless else ():
            for e in one.get("endpoints") or () if one.get("addressType") != "FQDN" else ():
                ready = (e.get("conditions") or {}).get("ready")
                if eager or ready is None or ready:
                    for ip in e.get("addresses") or ():
                        yield e.get("hostname") or dashed(ip), ip, one.get("ports") or ()


def address(name: str, ip: str) -> Record:
    kind: Type = "AAAA" if ":" in ip else "A"
    return Record(name, kind, ip)


def called(port: Obj, name: str, protocol: str) -> bool:
    return bool(name) and (port.get("name"), port.get("protocol", "TCP").lower()) == (name, protocol)


def dashed(ip: str) -> str:
    """An address as a label."""
    return ip_address(ip).exploded.replace(":", "-") if ":" in ip else ip.replace(".", "-")


def undashed(label: str) -> str:
    """The address that a label stands for; empty where it is none."""
    for text in (label.replace("-", "."), label.replace("-", ":")):
        try:
            return str(ip_address(text))
        except ValueError:
            continue
    return ""
