"""An impression of the facts differs as soon as one of them does: what was made from an equal one need not be made
again."""

from dataclasses import fields, replace

import pytest

from madang.node.pod.facts import Container, Facts, Refusal, Stop, impression


@pytest.mark.parametrize("name", [f.name for f in fields(Facts) if f.name != "containers"])
def test_each_fact_of_a_pod_is_in_it(name: str) -> None:
    facts = Facts()
    before = impression(facts)
    assert impression(facts) == before
    setattr(facts, name, "else")
    assert impression(facts) != before


@pytest.mark.parametrize("name", [f.name for f in fields(Container)])
def test_each_fact_of_a_container_is_in_it(name: str) -> None:
    facts = Facts(containers={"c": Container()})
    before = impression(facts)
    setattr(facts.of("c"), name, "else")
    assert impression(facts) != before


def test_another_container_is_seen() -> None:
    facts = Facts()
    before = impression(facts)
    facts.of("c")
    assert impression(facts) != before


def test_what_it_holds_cannot_change_unseen() -> None:
    facts = Facts(refusal=Refusal("A", "a", 1.0), containers={"c": Container(stop=Stop(1.0, 2.0))})
    before = impression(facts)
    assert facts.refusal is not None
    with pytest.raises(AttributeError):
        facts.refusal.reason = "B"  # type: ignore[misc]
    facts.of("c").stop = replace(Stop(1.0, 2.0), signalled=True)
    assert impression(facts) != before
