"""Stories that broke an invariant once are told again: they must hold now. `./dev world` prints the line to add."""

from pathlib import Path

import pytest

from madang.world.command import once
from madang.world.kept import Kept, line, read
from madang.world.plan import plan

FILE = Path(__file__).with_name("kept.jsonl")
KEPT = list(read(FILE))


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: f"seed-{kept.plan.seed}")
def test_what_was_mended_stays_mended(kept: Kept) -> None:
    assert kept.mended, "say when and how it was mended"
    breach = once(kept.plan).breach
    assert breach is None, f"{breach}; it was mended {kept.mended}; it broke then: {kept.broke}"


def test_a_line_tells_the_same_story(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    file.write_text(line(plan(7), "something broke") + "\n" + line(plan(8), "something else") + "\n")
    assert [k.plan for k in read(file)] == [plan(7), plan(8)]
    assert [k.broke for k in read(file)] == ["something broke", "something else"]
