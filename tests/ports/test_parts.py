"""Every node's part lies in the courtyard's range, meets no other, and stays while nodes come and go."""

from ipaddress import IPv4Address, IPv4Network

from hypothesis import given
from hypothesis import strategies as some

from madang.ports.parts import part, parts
from madang.ports.settings import Addresses

BRIDGE = Addresses("bridge", "10.200.0.0/20", "10.200.16.0/20", "10.200.0.1", device="md-0a1b2c")
LOOPBACK = Addresses("loopback", "127.70.0.0/17", "127.70.128.0/17", "127.70.0.1")


def test_two_nodes() -> None:
    first, second = parts(BRIDGE, 2)
    assert (first.cidr, first.ip, first.device) == ("10.200.0.0/21", "10.200.0.1", "md-0a1b2c")
    assert (second.cidr, second.ip, second.device) == ("10.200.8.0/24", "10.200.8.1", "md-0a1b2cn2")
    assert [one.ip for one in parts(LOOPBACK, 3)] == ["127.70.0.1", "127.70.127.254", "127.70.127.253"]


@given(some.integers(1, 100))
def test_parts_lie_within_and_apart(count: int) -> None:
    found = parts(BRIDGE, count)
    nets = [IPv4Network(one.cidr) for one in found]
    assert all(net.subnet_of(IPv4Network(BRIDGE.pod_cidr)) for net in nets)
    assert not any(a.overlaps(b) for i, a in enumerate(nets) for b in nets[:i])
    assert all(IPv4Address(one.ip) == net.network_address + 1 for one, net in zip(found, nets, strict=True))
    assert all(net.num_addresses >= 16 for net in nets) and all(len(one.device) <= 15 for one in found)
    assert len({one.ip for one in parts(LOOPBACK, count)}) == count


@given(some.integers(1, 9), some.integers(1, 9))
def test_a_node_keeps_its_part_when_others_come(few: int, many: int) -> None:
    number = min(few, many)
    assert part(BRIDGE, number, few) == part(BRIDGE, number, many)
