"""The short forms of `ports`, `volumes` and their kin, as their long forms.

In: one entry. Out: mappings with the long form's keys (Compose Specification, services top-level element). A range of
ports becomes one entry a port.
"""

import re

from madang.app.document import Map
from madang.app.field import Field

PORT = re.compile(
    r"(?:(?:(?P<ip>\[[0-9a-fA-F:]+\]|[0-9.]+):)?(?P<published>\d*(?:-\d+)?):)?"
    r"(?P<target>\d+(?:-\d+)?)(?:/(?P<protocol>[a-zA-Z]+))?"
)


def port_entries(one: Field) -> list[Map]:
    if isinstance(one.value, dict):
        return _long(one)
    matched = PORT.fullmatch(one.text())
    if matched is None:
        one.expected('a port such as 8000, "8080:8000", "127.0.0.1:8080:8000" or "53:53/udp"')
        return []
    return _entries(
        one, matched["target"], matched["published"] or "", (matched["ip"] or "").strip("[]"),
        (matched["protocol"] or "tcp").lower(), Map(mark=one.mark),
    )  # fmt: skip


def _long(one: Field) -> list[Map]:
    if "target" not in one:
        one.fault("lacks target, the port inside")
        return []
    rest = Map(mark=one.mark)
    for key, value in one.items():
        if key not in ("target", "published", "host_ip", "protocol"):
            rest.put(key, value.value, value.mark)
    return _entries(
        one, one["target"].text(), one["published"].text(), one["host_ip"].text(),
        one["protocol"].text("tcp").lower(), rest,
    )  # fmt: skip


def _entries(one: Field, target: str, published: str, ip: str, protocol: str, rest: Map) -> list[Map]:
    inside, outside = numbers(target), numbers(published)
    if not inside or (published and not outside) or any(not 0 < n < 65536 for n in [*inside, *outside]):
        one.expected("port numbers from 1 to 65535")
        return []
    if protocol not in ("tcp", "udp", "sctp"):
        one.fault(f'expected the protocol tcp or udp, found "{protocol}"')
        return []
    if len(outside) > 1 and len(inside) == 1:
        outside = outside[:1]  # one of the range, as there
    if outside and len(outside) != len(inside):
        one.fault(f"the ranges {published} and {target} differ in length")
        return []
    out = []
    for number, port in enumerate(inside):
        entry = Map(rest.items(), one.mark)
        entry.marks = {**rest.marks}
        for key, value in (
            ("target", port),
            ("published", outside[number] if outside else 0),
            ("host_ip", ip),
            ("protocol", protocol),
        ):
            entry.put(key, value, one.mark)
        out.append(entry)
    return out


def numbers(text: str) -> list[int]:
    """`3000` or `3000-3005`."""
    first, dash, last = text.partition("-")
    if not first.isdigit() or (dash and not last.isdigit()):
        return []
    return list(range(int(first), int(last or first) + 1))[:1000]
