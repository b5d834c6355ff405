"""Files brought into what runs stay below its root, whatever lies there."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from madang.cli.planting import packed
from madang.node.runtimes.monitor import record
from madang.node.runtimes.monitor.oci_container import take_over
from madang.node.runtimes.oci import planter
from tests.node.runtimes.oci import busybox


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A root, and a process that lives in it."""
    if os.geteuid() != 0:
        pytest.skip("only root changes the root")
    program = busybox.static()
    if program is None:
        pytest.skip("no static busybox")
    root = busybox.layer(tmp_path / "root", program)
    code = "import os, sys, time; os.chroot(sys.argv[1]); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", code, root])
    try:
        while os.readlink(f"/proc/{child.pid}/root") != str(root):
            time.sleep(0.01)
        yield root, child.pid
    finally:
        child.kill()
        child.wait()


def plant(pid: int, files: dict[Path, str], ticks: int | None = None) -> subprocess.CompletedProcess[bytes]:
    began = str(record.ticks(pid) if ticks is None else ticks)
    words = [sys.executable, "-I", "-S", planter.__file__, str(pid), began]
    return subprocess.run(words, input=packed(files), capture_output=True, check=False)


def test_files_come_and_go(inside: tuple[Path, int], tmp_path: Path) -> None:
    root, pid = inside
    (root / "app").mkdir()
    os.chown(root / "app", 33, 44)
    (root / "app/old").write_text("old")
    source = tmp_path / "a.py"
    source.write_text("new")
    source.chmod(0o640)
    done = plant(pid, {source: "/app/deep/a.py", tmp_path / "gone": "/app/old"})
    assert (done.returncode, done.stderr) == (0, b"")
    found = root / "app/deep/a.py"
    about = found.stat()
    assert found.read_text() == "new" and (about.st_uid, about.st_gid, about.st_mode & 0o777) == (33, 44, 0o640)
    assert os.listdir(root / "app") == ["deep"] and os.listdir(root / "app/deep") == ["a.py"]


def test_no_link_leads_out(inside: tuple[Path, int], tmp_path: Path) -> None:
    root, pid = inside
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    source = tmp_path / "evil"
    source.write_text("evil")
    (root / "absolute").symlink_to(outside)
    (root / "climbing").symlink_to("../" * 20 + str(outside).lstrip("/"))
    (root / "file").symlink_to(outside / "kept")
    os.mkfifo(root / "pipe")
    for target in ("/absolute/x", "/climbing/x", "/../../../x", "/file", "/pipe"):
        plant(pid, {source: target})
    plant(pid, {tmp_path / "none": "/absolute/kept"})
    assert os.listdir(outside) == ["kept"] and (outside / "kept").read_text() == "kept"
    assert not (tmp_path / "x").exists() and (root / "x").read_text() == "evil"
    assert (root / "file").read_text() == "evil" and (root / "pipe").read_text() == "evil", "replaced, never opened"


def test_another_process_of_that_number_is_not_meant(inside: tuple[Path, int], tmp_path: Path) -> None:
    root, pid = inside
    done = plant(pid, {Path(__file__): "/x"}, ticks=1)
    assert done.returncode == 1 and b"it has ended" in done.stderr and not (root / "x").exists()


def test_what_was_written_stays_only_where_somebody_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in ("3", "4", "5"):
        (tmp_path / number).mkdir()
    (tmp_path / "3/upper").mkdir()
    monkeypatch.chdir(tmp_path / "4")
    take_over("4")
    assert os.listdir() == []
    (tmp_path / "3" / record.AGAIN).touch()
    take_over("4")
    assert os.listdir() == ["upper"] and os.listdir("../3") == []
    monkeypatch.chdir(tmp_path / "5")
    take_over("5")
    assert os.listdir() == []
