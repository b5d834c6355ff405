"""UDP ports of Services and of pods, which the kernel carries: HAProxy knows streams alone.

In: Services with their slices, pods' host ports. Out: `Datagram` values, and the nftables table that does them, as
text: each address and port has a rule that gives a new flow to one of the instances, evenly, or by the caller's
address where the Service wants affinity. Where nobody is ready there is no rule: the kernel says that the port is
closed. The source stays the caller's, unless caller and instance share a bridge, where the answer would not come back
this way.
"""

from collections.abc import Iterable, Sequence

from madang.gateway import endpoints, policies
from madang.gateway.desired import Datagram
from madang.ports.objects import Obj
from madang.ports.parts import parts
from madang.ports.settings import Settings


def of_port(service: Obj, port: Obj, slices: Sequence[Obj], settings: Settings) -> list[Datagram]:
    spec = service["spec"]
    affinity = spec.get("sessionAffinity") == "ClientIP"

    def behind(node: str = "") -> tuple[tuple[str, int], ...]:
        servers = endpoints.servers(slices, port.get("name", ""), "UDP", node)
        return tuple((s.address, s.port) for s in servers if s.state == "ready")

    own = (spec["clusterIP"], port["port"])
    found = [Datagram(*own, behind(), affinity)]
    if policies.internal(spec, settings):
        found = [Datagram(*own, behind(node), affinity, cidr) for cidr, node in policies.callers(settings)]
    if spec.get("type") in ("LoadBalancer", "NodePort") and port.get("nodePort"):
        local = policies.external(spec, settings)
        for number, node in enumerate(parts(settings.addresses, settings.nodes), 1):
            to = behind(f"node-{number}" if local else "")
            found.append(Datagram(node.ip, port["nodePort"], to, affinity))
    return found


def table(name: str, datagrams: Iterable[Datagram], settings: Settings) -> str:
    """Made anew each time: adding and deleting first makes the rest hold whatever was there."""
    wanted = (d for d in datagrams if d.to or d.source)
    rows = sorted({(d.address, d.port, d.source): d for d in wanted}.items())
    instances = sorted({to for _, d in rows for to in d.to})
    lines = [f"add table ip {name}", f"delete table ip {name}"]
    if not rows:
        return "\n".join(lines) + "\n"
    lines.append(f"table ip {name} {{")
    for address, port in instances:
        lines.append(f"  chain {_chain(address, port)} {{ meta l4proto udp dnat to {address}:{port}; }}")
    lines.append("  chain places {")
    for (address, port, source), one in rows:
        whose = f"ip saddr {source} " if source else ""
        lines.append(f"    {whose}ip daddr {address} udp dport {port} {_choice(one)}")
    lines += [
        "  }",
        "  chain in { type nat hook prerouting priority -100; jump places; }",
        "  chain here { type nat hook output priority -100; jump places; }",
        "  chain back {",
        "    type nat hook postrouting priority 90;",
    ]
    for node in parts(settings.addresses, settings.nodes):
        lines.append(f"    ip saddr {node.cidr} ip daddr {node.cidr} meta l4proto udp ct status dnat masquerade")
    return "\n".join([*lines, "  }", "}"]) + "\n"


def _choice(one: Datagram) -> str:
    chains = [f"{_chain(*to)}" for to in one.to]
    if not chains:
        return "return"
    if len(chains) == 1:
        return f"goto {chains[0]}"
    by = "jhash ip saddr" if one.affinity else "numgen random"
    return f"{by} mod {len(chains)} vmap {{ {', '.join(f'{i} : goto {chain}' for i, chain in enumerate(chains))} }}"


def _chain(address: str, port: int) -> str:
    return f"to_{address.replace('.', '_')}_{port}"
