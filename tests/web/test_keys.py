"""Links, sessions and tokens: what was signed here holds, until it is over, and nothing else does."""

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from madang.web.keys import LINK_S, SESSION_S, Keys, Used, link

KEYS = Keys(b"k" * 32)
NOW = 1_000_000.0


def test_a_link_holds_for_a_quarter_of_an_hour() -> None:
    word = KEYS.link(NOW)
    assert KEYS.link_of(word, NOW + LINK_S - 1) is not None
    assert KEYS.link_of(word, NOW + LINK_S + 1) is None


def test_a_session_is_no_link_and_a_link_no_session() -> None:
    assert KEYS.link_of(KEYS.session(NOW), NOW) is None
    assert not KEYS.session_holds(KEYS.link(NOW), NOW)
    assert not KEYS.session_holds(KEYS.session(NOW), NOW + SESSION_S + 1)


def test_a_token_is_of_one_session() -> None:
    one, other = KEYS.session(NOW), KEYS.session(NOW)
    assert KEYS.token_holds(one, KEYS.token(one))
    assert not KEYS.token_holds(one, KEYS.token(other))
    assert not KEYS.token_holds(one, "") and not KEYS.token_holds(one, "가")


@given(st.text(max_size=40), st.integers(0, 60))
def test_nothing_else_opens(noise: str, at: int) -> None:
    word = KEYS.session(NOW)
    changed = word[:at] + noise + word[at + len(noise) :]
    assert changed == word or not KEYS.session_holds(changed, NOW)
    assert KEYS.link_of(noise, NOW) is None


def test_a_link_is_used_up_also_for_the_next_process(tmp_path: Path) -> None:
    found = KEYS.link_of(KEYS.link(NOW), NOW)
    assert found is not None
    assert Used(tmp_path / "used").take(*found, NOW)
    assert not Used(tmp_path / "used").take(*found, NOW)
    assert Used(tmp_path / "used").take("another", int(NOW) + LINK_S * 2, NOW + LINK_S * 1.5)
    assert len((tmp_path / "used").read_text().splitlines()) == 1, "what is over is forgotten"


def test_a_full_disk_lets_nobody_in_twice(tmp_path: Path) -> None:
    used = Used(tmp_path / "no such folder" / "used")
    assert used.take("one", int(NOW) + 9, NOW)
    assert not used.take("one", int(NOW) + 9, NOW)


def test_the_key_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    first = Keys.at(tmp_path)
    assert Keys.at(tmp_path) == first and len(first.secret) == 32
    (file,) = tmp_path.iterdir()
    assert os.stat(file).st_mode & 0o777 == 0o600
    way = link(tmp_path, f"http://127.0.0.1:1{first.path}", NOW)
    assert first.link_of(way.rpartition("/")[2], NOW) is not None
