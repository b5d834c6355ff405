"""What was chosen is kept beside the courtyard; without images nobody is asked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from madang.app.choice import CONTAINER, HOST, Chosen, Kept
from madang.app.programs.make import Build
from madang.cli.choosing import Choosing, file, read, refusal


def never() -> NoReturn:
    raise AssertionError("the courtyard was waited for")


def test_without_images_nothing_is_asked(tmp_path: Path) -> None:
    choosing = Choosing(tmp_path / "court", "", never)
    found = choosing.of_build(Build("web", "shop", tmp_path), "")
    assert (found.runtime, found.why, found.image) == (HOST, "{base} is not here", None)
    assert choosing.of_image("shop", "db", "redis:7", "").why == "redis:7 is not here"


def test_choices_are_kept_by_project_and_service(tmp_path: Path) -> None:
    choosing = Choosing(tmp_path, "", never)
    choosing.keep("shop", {"web": Chosen(HOST, "x is not here"), "db": Chosen(HOST, "as asked"), "none": Chosen()})
    choosing.keep("shop", {"web": Chosen(CONTAINER, "as asked")})
    assert read(file(tmp_path, "shop")) == {"web": Kept(CONTAINER, "as asked"), "db": Kept(HOST, "as asked")}
    later = Choosing(tmp_path, "", never)
    assert later.of_image("shop", "db", "redis:7", "") == Chosen(HOST, "as asked")
    assert later.before("other", "db") == Kept()


def test_a_damaged_file_is_no_choice(tmp_path: Path) -> None:
    for text in ("", "{", '{"format": 2, "services": {}}', '{"format": 1, "services": {"a": 1}}', "[]"):
        path = tmp_path / "one.json"
        path.write_text(text)
        assert read(path) == {}


def record(works: bool, why: str = "", **settings: str) -> dict[str, Any]:
    able = {"name": "container", "works": works, "why_not": why}
    return {"settings": settings, "machine": {"abilities": [{"name": "host", "works": True, "why_not": ""}, able]}}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (record(True), ""),
        (record(False, "no runc"), "no runc"),
        (record(True, network="loopback"), "they need pods with addresses of their own (--network bridge)"),
        (record(True, runtime="host"), "the courtyard runs with --runtime host"),
    ],
)
def test_the_courtyard_says_whether_containers_work(tmp_path: Path, found: dict[str, Any], told: str) -> None:
    assert refusal(Court("one", tmp_path, found)) == told  # type: ignore[arg-type]


@dataclass
class Court:
    name: str
    home: Path
    record: dict[str, Any]
