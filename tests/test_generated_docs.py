"""The generated documents are what `./dev docs` makes."""

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_compatibility_is_current() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "docs.py"))
    assert tool["TARGET"].read_text() == tool["compatibility"](), "run ./dev docs"


def test_the_picture_is_current() -> None:
    for path, text in runpy.run_path(str(ROOT / "tools" / "docs.py"))["drawings"]().items():
        assert path.read_text() == text, f"{path.name}: run ./dev docs"
