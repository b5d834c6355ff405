"""From the gateway's counts to rates, by service."""

from madang.ports.streams import PodUsage, Usage
from madang.ports.traffic import Calls, Flow, Served
from madang.web.application import OUTSIDE, Load
from madang.web.facts import Snapshot
from madang.web.load import load
from madang.web.reading import machine, read, snapshot
from tests.web import things

WEB, CATALOG = ("shop", "web"), ("shop", "catalog")


def shop(network: str = "bridge") -> Snapshot:
    objects = things.whole()
    objects["pods"] = [
        things.pod("web-1", "web", podIP="10.0.0.1"),
        things.pod("catalog-1", "catalog", podIP="10.0.0.2"),
    ]
    record = {**things.RECORD, "machine": {**things.RECORD["machine"], "network": network}}
    return snapshot(read(objects), machine(record))


def flow(count: int, worker: int = 7, errors: int = 0) -> Flow:
    served = (
        Served("shop", "catalog", count, errors, 0, 12),
        Served("shop", "web", count, 0, 0, 30),
        Served("shop", "web-published", count, 0, 0, 31),
        Served("gone", "gone", 5, 0, 0, 1),
    )
    calls = (
        Calls("10.0.0.1", "shop", "catalog", count, errors),
        Calls("127.0.0.1", "shop", "web-published", count, 0),
        Calls("10.9.9.9", "shop", "catalog", 3, 0),
    )
    return Flow(worker, served, calls)


def test_rates_are_differences_by_the_second() -> None:
    last = load(shop(), None, flow(100), 0, Load(), ())
    assert last.rates[CATALOG].requests == 0 and last.rates[CATALOG].seen
    for count in (120, 140, 160, 180, 200, 220, 240, 260):
        last = load(shop(), flow(count - 20), flow(count, errors=0), 2.0, last, ())
    assert abs(last.rates[CATALOG].requests - 10) < 0.2
    assert abs(last.rates[WEB].requests - 20) < 0.4, "its own Service and the published one are together"
    assert last.calls[WEB, CATALOG].requests == last.rates[CATALOG].requests
    assert last.calls[OUTSIDE, WEB].seen
    assert (OUTSIDE, CATALOG) not in last.calls, "an instance that is gone is no stranger"


def test_another_worker_counts_anew() -> None:
    last = load(shop(), flow(100), flow(2, worker=8), 1.0, Load(), ())
    assert last.rates[CATALOG].requests == 0


def test_where_callers_cannot_be_told_apart_nobody_is_named() -> None:
    last = load(shop("loopback"), None, flow(100), 0, Load(), ())
    assert set(last.calls) == {(WEB, CATALOG)}


def test_a_call_that_was_seen_stays_seen() -> None:
    last = load(shop(), None, flow(100), 0, Load(), ())
    last = load(shop(), flow(100), Flow(8), 1.0, last, ())
    assert last.calls[WEB, CATALOG].seen and last.calls[WEB, CATALOG].requests == 0


def test_no_answer_leaves_what_is_used() -> None:
    usage = Usage(0, 1, 0.25, 2**20)
    last = load(shop(), flow(1), None, 1.0, Load(), [PodUsage("shop", "web-1", {"c": usage, "d": usage})])
    assert last.uses == {WEB: (0.5, 2**21)} and not last.rates
