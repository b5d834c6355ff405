"""In which runtime a service runs: the rules, one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.app.choice import AUTO, CONTAINER, HOST, Chosen, Impossible, Kept, choose, told

BASE = "python:3-slim"
MISSING = f"{BASE} is not here"


def chosen(own: str = "", given: str = "", kept: Kept = Kept(), missing: str = "", refused: str = "") -> Chosen:  # noqa: B008
    return choose(own, given, kept, lambda: missing, lambda: refused, BASE)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, Chosen(CONTAINER, "python:3-slim is here")),
        ({"missing": MISSING}, Chosen(HOST, MISSING)),
        ({"refused": "no runc"}, Chosen(HOST, "containers do not work here: no runc")),
        ({"given": HOST}, Chosen(HOST, "as asked")),
        ({"given": HOST, "own": CONTAINER}, Chosen(CONTAINER, "as asked")),
        ({"given": CONTAINER, "missing": MISSING}, Chosen(CONTAINER, "as asked")),
        ({"kept": Kept(HOST, MISSING)}, Chosen(HOST, MISSING)),
        ({"kept": Kept(CONTAINER, "x is here"), "missing": MISSING}, Chosen(CONTAINER, "x is here")),
        ({"kept": Kept(HOST, MISSING), "given": CONTAINER}, Chosen(CONTAINER, "as asked")),
        ({"kept": Kept(HOST, "as asked"), "given": AUTO}, Chosen(CONTAINER, "python:3-slim is here")),
    ],
)
def test_the_first_rule_that_matches(asked: dict[str, object], expected: Chosen) -> None:
    assert chosen(**asked) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("asked", [{"own": CONTAINER}, {"given": CONTAINER}, {"kept": Kept(CONTAINER, "x")}])
def test_a_container_that_cannot_be_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(Impossible, match="no runc; `madang up --runtime host`"):
        chosen(**asked, refused="no runc")  # type: ignore[arg-type]


words = st.sampled_from(["", AUTO, CONTAINER, HOST])


@given(words, words, words.filter(lambda w: w != AUTO), st.sampled_from(["", MISSING]))
def test_what_was_chosen_stays_until_somebody_asks(own: str, given: str, kept: str, missing: str) -> None:
    first = chosen(own, given, Kept(kept, "before" if kept else ""), missing)
    again = chosen(own, "", Kept(first.runtime, first.why), MISSING if not missing else "")
    assert own == AUTO or again.runtime == first.runtime


def test_nothing_is_looked_up_for_who_asks_for_programs() -> None:
    def never() -> str:
        raise AssertionError("asked")

    assert choose(HOST, "", Kept(), never, never).runtime == HOST
    assert choose("", "", Kept(HOST, "x"), never, never).runtime == HOST


def test_one_line_a_runtime() -> None:
    services = {
        "web": Chosen(CONTAINER, "a is here"),
        "cart": Chosen(CONTAINER, "a is here"),
        "db": Chosen(CONTAINER, "as asked"),
        "mail": Chosen(HOST, "b is not here"),
        "silent": Chosen(),
    }
    assert told(services) == [
        "in containers: cart, web (a is here); db (as asked)",
        "as programs of this machine: mail (b is not here)",
    ]
