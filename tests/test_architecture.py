"""The tour through the code leads to places that are there, and shows the floors that the imports are held to."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOUR = (ROOT / "docs" / "architecture.md").read_text()
ROOMS = {p.name for p in (ROOT / "src" / "madang").iterdir() if (p / "__init__.py").exists()}


def named(text: str) -> set[str]:
    """Modules, and folders below a room, that a text names."""
    words = re.findall(r"`([\w./-]+)`", text)
    return {w for w in words if w.endswith(".py") or (w.endswith("/") and w.split("/")[0] in ROOMS)}


def missing(text: str) -> set[str]:
    files = [f"/{p.relative_to(ROOT)}" for d in ("src", "tests", "tools", "bench") for p in (ROOT / d).rglob("*.py")]
    return {w for w in named(text) if not any(f.endswith(f"/{w}") or f"/{w}" in f for f in files)}


def test_what_the_tour_names_is_there() -> None:
    assert len(named(TOUR)) > 40
    gone = missing(TOUR)
    assert not gone, f"docs/architecture.md leads to what is not there any more: {', '.join(sorted(gone))}"


def test_a_path_that_is_gone_is_found() -> None:
    assert missing("`node/worker/hand.py` `hand.py` `node/pod/` `node/hands/` `nod.py` `run/`") == {
        "node/hands/",
        "nod.py",
    }


def test_the_floors_are_those_that_imports_are_held_to() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = [set(re.findall(r"madang\.(\w+)", layer)) for layer in settings["contracts"][0]["layers"]]
    shown = [set(re.findall(r"`(\w+)`", row)) for row in re.findall(r"^\| \d \| (.*) \|$", TOUR, flags=re.M)]
    assert shown == [*layers[:-2], layers[-2] | layers[-1]], "the table of floors in docs/architecture.md"
    assert set().union(*layers) == ROOMS, "every room stands on a floor (pyproject.toml, tool.importlinter)"
