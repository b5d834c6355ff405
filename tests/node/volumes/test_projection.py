"""What makes a volume's files new: content, mode, names, and nothing else; what a program puts in their place too."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from madang.node.volumes.content import File
from madang.node.volumes.projection import project

FILES = {"a": File(b"1", 0o644), "deep/b": File(b"", 0o600)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert project(tmp_path / "v", FILES)
    return tmp_path / "v"


def test_the_same_is_left_alone(folder: Path) -> None:
    data = os.readlink(folder / "..data")
    assert not project(folder, dict(FILES)) and os.readlink(folder / "..data") == data


@pytest.mark.parametrize(
    "files",
    [
        {**FILES, "a": File(b"2", 0o644)},
        {**FILES, "a": File(b"12", 0o644)},
        {**FILES, "a": File(b"1", 0o600)},
        {**FILES, "c": File(b"1", 0o644)},
        {"a": FILES["a"]},
        {"a": FILES["a"], "deep/c": FILES["deep/b"]},
        {"a": FILES["a"], "deep": FILES["deep/b"]},
    ],
)
def test_what_differs_is_put_there(folder: Path, files: dict[str, File]) -> None:
    assert project(folder, files)
    assert {path: (folder / path).read_bytes() for path in files} == {p: f.data for p, f in files.items()}
    assert not project(folder, files)


@pytest.mark.parametrize("put", [os.mkdir, os.mkfifo, lambda path: os.symlink("nowhere", path), lambda path: None])
def test_what_a_program_put_in_place_of_a_file_is_replaced(folder: Path, put: Callable[[Path], object]) -> None:
    place = folder / "..data" / "a"
    place.unlink()
    put(place)
    assert project(folder, FILES) and (folder / "a").read_bytes() == b"1"
