import io
import os
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest

from madang.node.building.copying import Failed, copy, make_folder
from madang.node.building.trees import Tree
from madang.node.images.build.steps import CONTEXT, Files, Folder, Source

SECONDS = 315532800

pytestmark = pytest.mark.usefixtures("as_root")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "dir/sub").mkdir(parents=True)
    (folder / "file").write_text("file")
    (folder / "dir/run.sh").write_text("run")
    (folder / "dir/run.sh").chmod(0o4755)
    (folder / "dir/link").symlink_to("run.sh")
    (folder / "dir/sub/x").write_text("x")
    os.chown(folder / "file", 5, 6)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/passwd").write_text("me:x:1000:1001::/:/bin/sh\n")
    (folder / "etc/group").write_text("staff:x:50:\n")
    (folder / "bin").symlink_to("usr/bin")
    (folder / "usr/bin").mkdir(parents=True)
    return folder


def put(source: Path, root: Path, target: str, *patterns: str, **more: Any) -> None:
    step = Files(7, "COPY", "", more.pop("origin", CONTEXT), patterns, target, **more)
    copy(step, Tree(source), Tree(root), SECONDS)


def facts(path: Path) -> tuple[int, int, int]:
    status = path.lstat()
    return stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid


def test_a_file_by_its_new_name_into_folders_and_through_links(source: Path, root: Path) -> None:
    put(source, root, "/new/name", "file")
    put(source, root, "/new/", "file")
    put(source, root, "/bin", "file")
    put(source, root, "/bin/other", "file")
    assert (root / "new/name").read_text() == (root / "new/file").read_text() == "file"
    assert sorted(p.name for p in (root / "usr/bin").iterdir()) == ["file", "other"]
    assert facts(root / "new/name") == (0o644, 0, 0)
    assert (root / "new/name").stat().st_mtime == SECONDS


def test_a_folder_means_what_it_holds(source: Path, root: Path) -> None:
    (root / "usr/run.sh").write_text("old")
    put(source, root, "/usr", "dir")
    assert (root / "usr/run.sh").read_text() == "run"
    assert facts(root / "usr/run.sh") == (0o4755, 0, 0)
    assert os.readlink(root / "usr/link") == "run.sh"
    assert (root / "usr/sub/x").read_text() == "x"


def test_owners_and_modes(source: Path, root: Path) -> None:
    put(source, root, "/a/b/", "dir", chown="me", chmod=0o600)
    assert facts(root / "a") == facts(root / "a/b") == (0o755, 1000, 1001)
    assert facts(root / "a/b/run.sh") == (0o600, 1000, 1001)
    assert facts(root / "a/b/link") == (0o777, 1000, 1001)
    put(source, root, "/n", "file", chown="12")
    put(source, root, "/g", "file", chown="me:staff")
    put(source, root, "/k", "file", origin=Source(stage=0))
    assert [facts(root / n)[1:] for n in "ngk"] == [(12, 12), (1000, 50), (5, 6)]
    with pytest.raises(Failed, match="line 7: COPY: unable to find user nobody"):
        put(source, root, "/x", "file", chown="nobody")


def test_heredocs(root: Path, source: Path) -> None:
    put(source, root, "/x/", inline=(("one", "1\n"), ("two", "2\n")))
    put(source, root, "/x/three", inline=(("n", "3"),), chmod=0o755)
    assert [(root / "x" / n).read_text() for n in ("one", "two", "three")] == ["1\n", "2\n", "3"]
    assert (facts(root / "x/one")[0], facts(root / "x/three")[0]) == (0o644, 0o755)


def test_parents(root: Path, source: Path) -> None:
    put(source, root, "/p/", "dir/sub/x", "./dir/./sub", parents=True)
    assert (root / "p/dir/sub/x").read_text() == (root / "p/sub/x").read_text() == "x"


@pytest.mark.parametrize(
    ("target", "patterns", "message"),
    [
        ("/x", ("nothing",), '"nothing" not found'),
        ("/f", ("dir",), "Not a directory"),
        ("/f/y", ("file",), "Not a directory"),
        ("/y", ("*",), "several files need a folder"),
        ("/usr/", ("clash/..", "clash"), "cannot copy a file over a directory"),
    ],
)
def test_what_fails_names_the_line(
    source: Path, root: Path, target: str, patterns: tuple[str, ...], message: str
) -> None:
    (root / "f").write_text("")
    (source / "clash").mkdir()
    (source / "clash/bin").write_text("")
    with pytest.raises(Failed, match=f"line 7: COPY: {message}"):
        put(source, root, target, *patterns)


def test_nothing_is_written_or_read_outside(source: Path, root: Path, tmp_path: Path) -> None:
    (root / "out").symlink_to("../../..")
    (root / "name").symlink_to(tmp_path / "victim")
    put(source, root, "/out/", "file")
    put(source, root, "/name", "file")
    assert (root / "file").read_text() == (root / "name").read_text() == "file"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["root", "source"]


def archive(path: Path, *members: tuple[str, bytes, str]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, kind, text in members:
            info = tarfile.TarInfo(name)
            info.type, info.uid, info.mode = kind, 9, 0o750
            if kind == tarfile.REGTYPE:
                info.size = len(text)
                tar.addfile(info, io.BytesIO(text.encode()))
            else:
                info.linkname = text
                tar.addfile(info)


def test_an_archive_is_unpacked_by_add_alone(source: Path, root: Path) -> None:
    archive(
        source / "a.tgz", ("d/f", tarfile.REGTYPE, "f"), ("d/h", tarfile.LNKTYPE, "d/f"), ("l", tarfile.SYMTYPE, "d/f")
    )
    put(source, root, "/plain/", "a.tgz")
    assert (root / "plain/a.tgz").is_file()
    put(source, root, "/un", "a.tgz", unpack=True)
    assert (root / "un/l").read_text() == "f"
    assert (root / "un/d/h").samefile(root / "un/d/f")
    assert facts(root / "un/d/f") == (0o750, 9, 0)


def test_an_archive_can_not_climb(source: Path, root: Path, tmp_path: Path) -> None:
    archive(
        source / "evil.tar",
        ("../../../up", tarfile.REGTYPE, "1"),
        ("/abs", tarfile.REGTYPE, "2"),
        ("door", tarfile.SYMTYPE, str(tmp_path)),
        ("door/inside", tarfile.REGTYPE, "3"),
        ("steal", tarfile.LNKTYPE, "../../../../etc/hostname"),
    )
    with pytest.raises(Failed, match="No such file"):
        put(source, root, "/un", "evil.tar", unpack=True)
    assert (root / "un/up").read_text() == "1"
    assert (root / "un/abs").read_text() == "2"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["root", "source"]
    assert (root / str(tmp_path).lstrip("/") / "inside").read_text() == "3"


def test_workdir(root: Path) -> None:
    make_folder(Folder(3, "WORKDIR", "", "/bin/deep/er", "me"), Tree(root), SECONDS)
    assert facts(root / "usr/bin/deep/er") == facts(root / "usr/bin/deep") == (0o755, 1000, 1001)
    assert facts(root / "usr/bin") == (0o755, 0, 0)
