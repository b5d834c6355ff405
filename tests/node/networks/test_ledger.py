"""Addresses are given once, in turn, and known again after a restart."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.node.networks.ledger import Ledger, RangeFull
from madang.node.networks.network import Attachment


def test_addresses_are_known_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "127.70.0.0/17")
    ledger.write("uid-1", Attachment(ledger.next_ip()))
    ledger.write("uid-2", Attachment(ledger.next_ip(), "/run/x"))
    (tmp_path / "torn.json").write_text("")
    again = Ledger(tmp_path, "127.70.0.0/17")
    assert again.all == {"uid-1": Attachment("127.70.0.2"), "uid-2": Attachment("127.70.0.3", "/run/x")}
    assert again.next_ip() == "127.70.0.4"


def test_what_was_kept_for_another_range_is_not_ours(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "10.80.0.0/20")
    ledger.write("uid-1", Attachment(ledger.next_ip()))
    assert Ledger(tmp_path, "127.70.0.0/17").all == {}


def test_a_freed_address_is_not_given_again_at_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "10.0.0.0/29")
    given = [ledger.next_ip() for _ in range(5)]
    assert given == [f"10.0.0.{n}" for n in (2, 3, 4, 5, 6)]
    with pytest.raises(RangeFull, match=r"all 5 pod addresses of 10\.0\.0\.0/29 are in use"):
        ledger.next_ip()
    ledger.free("10.0.0.4")
    ledger.free("10.0.0.2")
    assert [ledger.next_ip(), ledger.next_ip()] == ["10.0.0.2", "10.0.0.4"]


@settings(deadline=None)
@given(st.lists(st.integers(0, 9)))
def test_no_two_pods_share_an_address(tmp_path_factory: pytest.TempPathFactory, steps: list[int]) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger"), "10.0.0.0/28")
    for step in steps:
        uid = f"uid-{step}"
        if uid in ledger.all:
            ledger.forget(uid)
        else:
            ledger.write(uid, Attachment(ledger.next_ip()))
        addresses = [attachment.ip for attachment in ledger.all.values()]
        assert len(set(addresses)) == len(addresses)
        assert "10.0.0.0" not in addresses and "10.0.0.1" not in addresses and "10.0.0.15" not in addresses


def test_each_part_is_given_in_turn(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "10.70.0.0/24")
    assert [ledger.next_ip("10.70.0.0/25"), ledger.next_ip("10.70.0.128/30")] == ["10.70.0.2", "10.70.0.130"]
    with pytest.raises(RangeFull, match=r"all 1 pod addresses of 10\.70\.0\.128/30 are in use"):
        ledger.next_ip("10.70.0.128/30")
    ledger.free("10.70.0.2")
    assert ledger.next_ip("10.70.0.0/25") == "10.70.0.3"
