"""The script of a clone: `./dev demo` starts the shop, passes its exit code on, and ends by naming the tour."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STAMP = "cat dev.lock pyproject.toml | cksum | cut -d' ' -f1"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """With an environment that counts as made, whose `madang` and `pytest` only say what they were asked."""
    for name in ("dev", "dev.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    stamp = subprocess.run(["bash", "-c", STAMP], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for kind in ("run", "all"):
        (tmp_path / ".venv" / f".{kind}-{stamp.strip()}").touch()
    for name in ("madang", "pytest"):
        program = tmp_path / ".venv" / "bin" / name
        program.write_text('#!/bin/sh\necho "asked: $*" >&2\ncase "$*" in *fails*) exit 3;; esac\n')
        program.chmod(0o755)
    return tmp_path


def demo(clone: Path, *words: str) -> tuple[int, list[str]]:
    return dev(clone, "demo", *words)


def dev(clone: Path, *words: str) -> tuple[int, list[str]]:
    done = subprocess.run(["./dev", *words], cwd=clone, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.splitlines()


def test_it_ends_by_naming_the_tour(clone: Path) -> None:
    code, said = demo(clone, "--detach")
    assert code == 0 and said[0] == "asked: up examples/shop --detach"
    assert ".venv/bin/madang tour" in said[-1] and "--lang ko" in said[-1]


def test_in_the_foreground_it_is_named_before_the_logs(clone: Path) -> None:
    code, said = demo(clone)
    assert code == 0 and ".venv/bin/madang tour" in said[0] and said[-1] == "asked: up examples/shop"


def test_a_shop_that_does_not_start_is_no_success(clone: Path) -> None:
    code, said = demo(clone, "--detach", "fails")
    assert code == 3 and "tour" not in said[-1]


def test_scripts_read_data_alone(clone: Path) -> None:
    assert demo(clone, "--detach", "--output", "json")[1] == ["asked: up examples/shop --detach --output json"]


def test_all_tests_run_two_at_once_and_some_as_they_are_asked_for(clone: Path) -> None:
    assert dev(clone, "test") == (0, ["asked: -n 2 --dist loadfile --no-loadscope-reorder"])
    assert dev(clone, "test", "tests/api", "-k", "fails") == (3, ["asked: tests/api -k fails"])
