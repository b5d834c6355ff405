"""What a request must show: Host, session, origin and token, in this order."""

from typing import Any

import pytest

from madang.web.doors import CHANGING, Pass, Refused, admit, cookie
from madang.web.keys import Keys

KEYS = Keys(b"k" * 32)
NOW, PORT = 1_000_000.0, 7070
SESSION = KEYS.session(NOW)
GOOD = {
    "host": "127.0.0.1:7070",
    "cookie": f"other={'x' * 9}; madang={SESSION}",
    "origin": "http://127.0.0.1:7070",
    "sec-fetch-site": "same-origin",
    "x-madang-token": KEYS.token(SESSION),
}


def asked(method: str = "POST", path: str = "do/scale", **changed: Any) -> Pass | Refused:
    headers = {
        k: v for k, v in {**GOOD, **{k.replace("_", "-"): v for k, v in changed.items()}}.items() if v is not None
    }
    return admit(method, path, headers, KEYS, PORT, NOW)


def test_who_shows_all_comes_in() -> None:
    assert asked() == Pass(SESSION)
    assert asked("GET", "", origin=None, x_madang_token=None) == Pass(SESSION)
    assert asked(host="localhost:7070", origin="http://localhost:7070") == Pass(SESSION)


@pytest.mark.parametrize(
    ("changed", "status", "why"),
    [
        ({"host": "evil.example:7070"}, 421, "host"),
        ({"host": "127.0.0.1"}, 421, "host"),
        ({"host": None}, 421, "host"),
        ({"cookie": None}, 401, "session"),
        ({"cookie": "madang=made.up.here"}, 401, "session"),
        ({"origin": None}, 403, "origin"),
        ({"origin": "null"}, 403, "origin"),
        ({"origin": "http://127.0.0.1:8080"}, 403, "origin"),
        ({"origin": "https://127.0.0.1:7070"}, 403, "origin"),
        ({"sec_fetch_site": "same-site"}, 403, "origin"),
        ({"x_madang_token": None}, 403, "token"),
        ({"x_madang_token": KEYS.token("another")}, 403, "token"),
    ],
)
def test_refusals(changed: dict[str, Any], status: int, why: str) -> None:
    for method in CHANGING:
        assert asked(method, **changed) == Refused(status, why)


def test_the_way_in_and_the_files_need_no_session_but_the_right_host() -> None:
    for path in ("enter/word", "static/madang.css"):
        assert asked("GET", path, cookie=None) == Pass()
        assert asked("GET", path, cookie=None, host="evil.example") == Refused(421, "host")
        assert asked("POST", path) == Refused(405, "method")
    assert asked("HEAD", "enter/word", cookie=None) == Refused(405, "method"), "it would use the link up"
    assert asked("TRACE", "") == Refused(405, "method")


def test_cookies_of_others_do_no_harm() -> None:
    assert cookie('a="; b=\x7f{[,; madang=mine; =;;') == "mine"
