"""The Python of an image by its files alone."""

import os
from pathlib import Path

import pytest

from madang.node.building.interpreter import NoPython, Python, found
from madang.node.images.image import Image, ImageConfig, Layer


def image(root: Path, *env: tuple[str, str]) -> Image:
    return Image((), "", "", ImageConfig(env=env), (Layer("", "", 0, root),))


def test_links_are_followed_and_the_c_library_says_its_version(tmp_path: Path) -> None:
    machine = os.uname().machine
    for folder in ("opt/bin", "usr/bin", f"usr/lib/{machine}-linux-gnu"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "usr/bin/python3").symlink_to("/opt/bin/python3.12")
    (tmp_path / "opt/bin/python3.12").touch()
    (tmp_path / f"usr/lib/{machine}-linux-gnu/libc.so.6").write_bytes(
        b"\x7fELF\xff\0GNU C Library (Debian GLIBC 2.36-9+deb12u13) stable release version 2.36.\n"
    )
    assert found(image(tmp_path), "a") == Python("/usr/bin/python3", "3.12", 36, machine)
    with pytest.raises(NoPython, match='the image "a" has no Python on its path'):
        found(image(tmp_path, ("PATH", "/sbin")), "a")


def test_musl(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "lib").mkdir()
    (tmp_path / "usr/bin/python3").symlink_to("python3.13")
    (tmp_path / "usr/bin/python3.13").touch()
    (tmp_path / f"lib/ld-musl-{os.uname().machine}.so.1").touch()
    assert found(image(tmp_path), "a").glibc == 0


def test_tags_the_best_first() -> None:
    tags = Python("", "3.11", 36, "x86_64").platforms
    assert tags[:2] == ("manylinux_2_36_x86_64", "manylinux_2_35_x86_64")
    assert {"manylinux_2_17_x86_64", "manylinux2014_x86_64", "linux_x86_64"} <= set(tags)
    assert "manylinux_2_37_x86_64" not in tags
    assert Python("", "3.11", 0, "x86_64").platforms[0] == "musllinux_1_2_x86_64"
