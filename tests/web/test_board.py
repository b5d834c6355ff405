"""The page's fragments: which are sent again, in which order, and what stands in them."""

import re
from typing import Any

from madang.ports.objects import Obj
from madang.web.application import Load
from madang.web.board import Board
from madang.web.reading import machine, read, snapshot
from tests.web import things


def show(board: Board, objects: dict[str, list[Obj]]) -> bool:
    return board.show(snapshot(read(objects), machine(things.RECORD)), Load())


def names(fragments: list[tuple[str, str]]) -> list[str]:
    return [name for name, _ in fragments]


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def test_only_what_changed_is_sent() -> None:
    board, objects = Board(), things.whole()
    assert show(board, objects) and not show(board, things.whole())
    before = board.moment
    objects["pods"][2] = things.pod("catalog-1", "catalog", ready=False)
    objects["deployments.apps"][1] = things.deployment("catalog", 2, 1)
    assert show(board, objects)
    sent = names(board.since(before, "en"))
    assert {"top", "el-orchestration", "svc-shop_catalog", "rows-svc-shop_catalog", "graph-shop"} <= set(sent)
    assert not {"listing", "svc-shop_web", "events", "el-message-bus"} & set(sent)


def test_a_new_service_is_sent_with_the_listing_that_holds_it() -> None:
    board, objects = Board(), things.whole()
    show(board, objects)
    before = board.moment
    objects["deployments.apps"].append(things.deployment("cart"))
    show(board, objects)
    sent = dict(board.since(before, "en"))
    assert "svc-shop_cart" not in sent and 'id="svc-shop_cart"' in sent["listing"]


def test_the_listing_holds_what_is_newer_than_itself() -> None:
    board, objects = Board(), things.whole()
    show(board, objects)
    objects["deployments.apps"][1] = things.deployment("catalog", 2, 1)
    show(board, objects)
    assert "1 /2" in words(board.everything("en")["listing"])


def test_words_of_another_time_mean_nothing() -> None:
    board = Board()
    show(board, things.whole())
    assert board.moment_of(board.word()) == board.moment
    assert board.moment_of(Board().word()) == board.moment_of("") == board.moment_of("x-y") == -1


def test_a_card_in_both_languages() -> None:
    board, objects = Board(), things.whole()
    objects["pods"][2] = things.crashing("catalog-1", "catalog")
    objects["deployments.apps"][1] = things.deployment("catalog", 2, 1)
    show(board, objects)
    (english,) = (html for name, html in board.since(-1, "en") if name == "listing")
    assert "failed: catalog failing 1 /2 exit code 3: no database" in words(english)
    (korean,) = (html for name, html in board.since(-1, "ko") if name == "listing")
    assert "장애: catalog 장애 1 /2 exit code 3: no database" in words(korean)


def test_an_element_is_written_so() -> None:
    board = Board()
    show(board, things.whole())
    text = words(board.everything("en")["el-gateway"])
    assert text == ("well: API gateway known as: Netflix Zuul here: gateway: HAProxy open at http://127.0.0.1:7080")
    assert words(board.everything("ko")["el-message-bus"]) == "없음: 메시지 버스 대표 제품: RabbitMQ, Kafka 이후 제공"


def test_tags_in_names_and_messages_are_text() -> None:
    tag = "<script>alert(1)</script>"
    board, objects = Board(), things.whole()
    event: dict[str, Any] = {
        "metadata": {"namespace": "shop", "name": "e"}, "reason": tag, "message": tag, "type": "Warning",
        "involvedObject": {"kind": tag, "name": tag}, "lastTimestamp": tag,
    }  # fmt: skip
    objects["events"] = [event]
    objects["deployments.apps"].append(things.deployment(tag, metadata={"annotations": {}}, spec={"containers": []}))
    objects["pods"].append(things.crashing(tag, tag))
    objects["nodes"].append(things.node(tag))
    show(board, objects)
    for language in ("en", "ko"):
        for name, html in board.everything(language).items():  # type: ignore[arg-type]
            assert "<script" not in html, name


def test_five_hundred_instances_are_counted_and_a_few_shown() -> None:
    board = Board()
    pods = [things.pod(f"web-{n}", ready=n > 2) for n in range(500)]
    show(board, {"deployments.apps": [things.deployment("web", 500, 497)], "pods": pods})
    sent = dict(board.since(-1, "en"))
    assert len(sent["listing"]) < 20_000
    assert "and 488 more" in words(sent["listing"])
    assert "busy: 3 well: 497" in words(sent["listing"]), "the ill ones first"
