"""Images that we load and save, beside independent tools: skopeo, umoci, podman, buildah."""

import asyncio
import json
import os
import stat
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from madang.node.images.image import Image
from madang.node.images.load import load
from madang.node.images.saving import save
from madang.node.images.store import Store
from tests.e2e.base_image import debian, needs
from tests.node.images.made import image_blobs, member, oci_archive, tar

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
DIR = tarfile.DIRTYPE
REF = "docker.io/library/cart:1"


def run(*words: str | Path, **more: Any) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, **more)
    assert done.returncode == 0, f"{words[0]}: {done.stderr}"
    return done.stdout


def three_layers() -> list[bytes]:
    """With everything that a layer above can do to those below."""
    long = "n" * 120
    base = tar(
        member("etc", type=DIR, mode=0o755, mtime=1), member("etc/a", b"a", mode=0o644, mtime=2),
        member("etc/gone", b"x"), member("opt", type=DIR, mode=0o755), member("opt/old", b"old"),
        member("dir", type=DIR, mode=0o755), member("dir/x", b"x"), member(long, b"long name", mtime=3),
        member("su", b"s", mode=0o4755, uid=0, gid=7), member("own", b"o", uid=1000, gid=1000),
        member("link", type=tarfile.SYMTYPE, linkname="etc/a"), member("hard", type=tarfile.LNKTYPE, linkname="etc/a"),
        member("tmp", type=DIR, mode=0o1777),
    )  # fmt: skip
    middle = tar(
        member("etc", type=DIR, mode=0o700, mtime=9), member("etc/.wh.gone", b""), member("opt", type=DIR, mode=0o755),
        member("opt/.wh..wh..opq", b""), member("opt/new", b"new"), member(".wh.dir", b""), member("etc/a", b"changed"),
    )  # fmt: skip
    top = tar(member("dir", type=DIR, mode=0o755), member("dir/y", b"y"), member("etc/gone", b"back"))
    return [base, middle, top]


def loaded(folder: Path, archive: Path, **more: Any) -> Image:
    (image,) = asyncio.run(load(folder, archive, **more))
    return image


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return oci_archive(tmp_path / "made.tar", (REF, *image_blobs(three_layers(), Cmd=["sh"], Env=["A=1"])))


@pytest.fixture
def saved(tmp_path: Path, archive: Path) -> Path:
    image = loaded(tmp_path / "images", archive)
    with open(tmp_path / "saved.tar", "wb") as out:
        save(Store(tmp_path / "images").layout, {REF: image}, out)
    return tmp_path / "saved.tar"


@pytest.fixture
def own() -> Iterator[list[str]]:
    """A storage of its own for podman or buildah, under a name that is short enough for them."""
    with tempfile.TemporaryDirectory(prefix="mdg-") as top:
        yield ["--storage-driver", "vfs", "--root", f"{top}/root", "--runroot", f"{top}/run"]


def tree(root: Path) -> dict[str, tuple[Any, ...]]:
    """All that is in a file system, device nodes aside: containers get theirs from the runtime."""
    found = {}
    for top, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(top) / name
            status = path.lstat()
            if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
                continue
            is_dir = stat.S_ISDIR(status.st_mode)
            names = [a for a in os.listxattr(path, follow_symlinks=False) if not a.endswith("overlay.opaque")]
            found[str(path.relative_to(root))] = (
                status.st_mode, status.st_uid, status.st_gid, 0 if is_dir else status.st_size,
                0 if is_dir else int(status.st_mtime), os.readlink(path) if path.is_symlink() else "",
                {a: os.getxattr(path, a, follow_symlinks=False) for a in names},
            )  # fmt: skip
    return found


@contextmanager
def merged(image: Image, at: Path) -> Iterator[Path]:
    """Its layers as a container sees them."""
    at.mkdir()
    (at.parent / "none").mkdir()
    lower = ":".join(str(layer.folder) for layer in [*reversed(image.layers)]) + f":{at.parent / 'none'}"
    try:
        run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={lower}", at)
    except AssertionError as error:
        pytest.skip(f"overlayfs can't be mounted here: {error}")
    try:
        yield at
    finally:
        run("umount", at)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts an overlay")
def test_umoci_unpacks_ours_to_the_same_tree(tmp_path: Path, archive: Path, saved: Path) -> None:
    needs("skopeo", "umoci")
    run("skopeo", "copy", f"oci-archive:{saved}", f"oci:{tmp_path / 'layout'}:x")
    run("umoci", "unpack", "--image", f"{tmp_path / 'layout'}:x", tmp_path / "theirs")
    with merged(loaded(tmp_path / "images", archive), tmp_path / "ours") as ours:
        mine = tree(ours)
        assert mine == tree(tmp_path / "theirs" / "rootfs")
        assert (ours / "etc" / "gone").read_text() == "back" and sorted(os.listdir(ours / "dir")) == ["y"]
        assert os.listdir(ours / "opt") == ["new"] and (ours / "su").stat().st_mode & 0o7777 == 0o4755


def test_skopeo_reads_both_forms_of_ours(tmp_path: Path, archive: Path, saved: Path) -> None:
    needs("skopeo")
    image = loaded(tmp_path / "images", archive)
    as_oci = json.loads(run("skopeo", "inspect", f"oci-archive:{saved}"))
    assert as_oci["Digest"] == image.digest and as_oci["Env"] == ["A=1"]
    as_docker = json.loads(run("skopeo", "inspect", f"docker-archive:{saved}:{REF}"))
    assert as_docker["Layers"] == [layer.diff_id for layer in image.layers]


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive", "oci"])
def test_we_read_what_skopeo_writes(tmp_path: Path, saved: Path, form: str) -> None:
    needs("skopeo")
    run("skopeo", "copy", f"oci-archive:{saved}", f"{form}:{tmp_path / 'theirs'}:example.org/x:2")
    image = loaded(tmp_path / "others", tmp_path / "theirs")
    mine = Store(tmp_path / "images").find(REF)
    assert mine is not None and image.refs == ("example.org/x:2",)
    assert [layer.diff_id for layer in image.layers] == [layer.diff_id for layer in mine.layers]
    assert image.config == mine.config


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: podman's own storage")
@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
def test_podman_loads_ours_and_we_load_podmans(tmp_path: Path, saved: Path, own: list[str], form: str) -> None:
    needs("podman")
    assert REF in run("podman", *own, "load", "-q", "-i", saved)
    run("podman", *own, "save", "-q", "--format", form, "-o", tmp_path / "theirs.tar", REF)
    image = loaded(tmp_path / "others", tmp_path / "theirs.tar")
    mine = Store(tmp_path / "images").find(REF)
    assert mine is not None and image.refs == (REF,) and image.config == mine.config
    assert [layer.diff_id for layer in image.layers] == [layer.diff_id for layer in mine.layers]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: buildah's own storage")
def test_we_load_what_buildah_builds(tmp_path: Path, own: list[str]) -> None:
    needs("buildah")
    (tmp_path / "Dockerfile").write_text('FROM scratch\nCOPY Dockerfile /app/\nENV A=1\nCMD ["/app/x"]\n')
    run("buildah", *own, "bud", "--isolation", "chroot", "--layers", "-q", "-t", "x:1", tmp_path)
    run("buildah", *own, "push", "-q", "localhost/x:1", f"docker-archive:{tmp_path / 'theirs.tar'}:localhost/x:1")
    image = loaded(tmp_path / "images", tmp_path / "theirs.tar")
    assert image.refs == ("localhost/x:1",) and image.config.cmd == ("/app/x",) and ("A", "1") in image.config.env
    assert (image.layers[0].folder / "app" / "Dockerfile").read_text().startswith("FROM scratch")


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: gives files away")
def test_a_whole_debian_is_the_tree_that_umoci_makes(tmp_path: Path) -> None:
    needs("umoci")
    layout = tmp_path / "layout"
    run("umoci", "init", "--layout", layout)
    run("umoci", "new", "--image", f"{layout}:base")
    run("umoci", "raw", "add-layer", "--image", f"{layout}:base", debian())
    run("umoci", "unpack", "--image", f"{layout}:base", tmp_path / "theirs")
    image = loaded(tmp_path / "images", layout, tags=("debian",))
    assert tree(image.layers[0].folder) == tree(tmp_path / "theirs" / "rootfs")
