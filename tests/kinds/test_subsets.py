"""Subsets are packed as few as can be; nothing is lost, and packing again changes nothing."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from madang.kinds.subsets import CAPACITY, repack, truncated


def test_addresses_with_the_same_ports_share_a_subset() -> None:
    one, two = {"ip": "10.0.0.2"}, {"ip": "10.0.0.10"}
    http, dns = {"name": "http", "port": 80, "protocol": "TCP"}, {"name": "dns", "port": 53, "protocol": "UDP"}
    packed = repack([
        {"addresses": [two], "ports": [http]},
        {"addresses": [one], "ports": [http]},
        {"notReadyAddresses": [one, two], "ports": [dns]},
    ])  # fmt: skip
    assert packed == [
        {"notReadyAddresses": [one, two], "ports": [dns]},
        {"addresses": [one, two], "ports": [http]},
    ]
    assert repack([{"addresses": [one], "ports": [http, dns]}, {"addresses": [one]}]) == [
        {"addresses": [one], "ports": [dns, http]}
    ]


def test_not_ready_wins() -> None:
    port = {"port": 80, "protocol": "TCP"}
    one = {"ip": "10.0.0.2"}
    assert repack([{"addresses": [one], "ports": [port]}, {"notReadyAddresses": [one], "ports": [port]}]) == [
        {"notReadyAddresses": [one], "ports": [port]}
    ]


places = st.lists(st.integers(1, 5).map(lambda n: {"ip": f"10.0.0.{n}"}), max_size=3)
ports = st.lists(st.sampled_from([80, 90]).map(lambda n: {"name": str(n), "port": n, "protocol": "TCP"}), max_size=2)
subsets = st.lists(
    st.builds(lambda a, n, p: {"addresses": a, "notReadyAddresses": n, "ports": p}, places, places, ports), max_size=4
)


def pairs(found: list[Any]) -> set[tuple[str, int]]:
    return {
        (a["ip"], p["port"])
        for s in found
        for a in (*(s.get("addresses") or ()), *(s.get("notReadyAddresses") or ()))
        for p in s.get("ports") or ({"port": -1},)
    }


@given(subsets)
def test_nothing_is_lost_and_again_is_the_same(given_: list[Any]) -> None:
    packed = repack(given_)
    assert pairs(packed) | {(ip, -1) for ip, _ in pairs(packed)} >= pairs(given_)
    assert repack(packed) == packed


@given(st.integers(0, 1500), st.integers(0, 1500))
def test_ready_addresses_come_first_where_there_are_too_many(ready: int, not_ready: int) -> None:
    own, others = ([{"ip": f"10.{part}.{n // 250}.{n % 250}"} for n in range(1500)] for part in (1, 2))
    given_ = [{"addresses": own[:ready], "notReadyAddresses": others[:not_ready]}]
    cut = truncated(given_)
    if ready + not_ready <= CAPACITY:
        assert cut is None
    else:
        assert cut is not None
        [found] = cut
        assert len(found.get("addresses", [])) == min(ready, CAPACITY)
        assert len(found.get("notReadyAddresses", [])) == max(0, CAPACITY - ready)


def test_what_was_cut_short_can_be_stored_and_is_packed() -> None:
    """The API packs what it is given: in another order it would be changed for ever."""
    port = [{"name": "", "port": 80, "protocol": "TCP"}]
    many = [{"ip": f"10.0.{n // 250}.{n % 250 + 1}"} for n in range(CAPACITY + 2)]
    other = [{**port[0], "port": 81}]
    cut = truncated(
        repack([{"addresses": many, "ports": port}, {"notReadyAddresses": [{"ip": "9.0.0.1"}], "ports": other}])
    )
    assert cut == [{"addresses": many[:CAPACITY], "ports": port}]
    first = {"notReadyAddresses": [{"ip": "9.0.0.1"}], "addresses": many[600:], "ports": other}
    again = truncated(repack([first, {"addresses": many[:600], "ports": port}]))
    assert again is not None and repack(again) == again
