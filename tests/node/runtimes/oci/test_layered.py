"""Files of an image, looked up in its layers: what is newer hides, and no link leads out."""

import os
from pathlib import Path

import pytest

from madang.node.runtimes.oci.layered import MOST_BYTES, Layers


def make(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("->"):
            path.symlink_to(text[2:])
        else:
            path.write_text(text)
    folder.mkdir(exist_ok=True)
    return folder


def test_the_newest_layer_that_has_it_counts(tmp_path: Path) -> None:
    old = make(tmp_path / "old", {"etc/passwd": "old", "etc/group": "group"})
    new = make(tmp_path / "new", {"etc/passwd": "new"})
    layers = Layers([new, old])
    assert (layers.text("/etc/passwd"), layers.text("/etc/group")) == ("new", "group")
    assert layers.text("/etc/shadow") == ""
    assert layers.text("/") == ""


def test_links_are_followed_inside_the_image_alone(tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_text("secret")
    old = make(tmp_path / "old", {"usr/lib/passwd": "in lib", "lib": "->usr/lib"})
    new = make(
        tmp_path / "new",
        {
            "etc/passwd": "->../lib/passwd",
            "etc/up": f"->{'../' * 20}{outside}",
            "etc/abs": f"->{outside}",
            "etc/loop": "->loop",
            "out": f"->{tmp_path}",
        },
    )
    layers = Layers([new, old])
    assert layers.text("/etc/passwd") == "in lib"
    for name in ("/etc/up", "/etc/abs", "/etc/loop", "/out/secret"):
        assert layers.text(name) == ""


def test_no_pipe_is_waited_for_and_nothing_endless_is_read(tmp_path: Path) -> None:
    folder = make(tmp_path / "one", {"big": "x" * (MOST_BYTES + 5)})
    os.mkfifo(folder / "pipe")
    layers = Layers([folder])
    assert layers.text("/pipe") == ""
    assert len(layers.text("/big")) == MOST_BYTES


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes whiteouts")
def test_what_a_newer_layer_took_away_is_gone(tmp_path: Path) -> None:
    old = make(tmp_path / "old", {"etc/passwd": "old", "srv/deep/file": "old", "opt/file": "old"})
    new = make(tmp_path / "new", {"srv/deep/other": "new"})
    os.makedirs(new / "etc")
    os.mknod(new / "etc" / "passwd", 0o600 | 0o020000, 0)
    os.mknod(new / "opt", 0o600 | 0o020000, 0)
    os.setxattr(new / "srv", "trusted.overlay.opaque", b"y")
    layers = Layers([new, old])
    assert [layers.text(p) for p in ("/etc/passwd", "/srv/deep/file", "/opt/file")] == ["", "", ""]
    assert layers.text("/srv/deep/other") == "new"


def test_a_file_in_a_newer_layer_hides_a_folder_of_an_older(tmp_path: Path) -> None:
    layers = Layers([make(tmp_path / "new", {"etc": "file"}), make(tmp_path / "old", {"etc/passwd": "old"})])
    assert layers.text("/etc/passwd") == ""
