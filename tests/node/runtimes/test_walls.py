"""Private mounts: what is mounted stands where it should, and the machine's own file system stays as it was."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from madang.node.runtimes.host import HostRuntime
from madang.node.runtimes.runtime import Launch, Mount
from tests.node.runtimes.launching import MakeLaunch, logged


@pytest.fixture(autouse=True)
def only_with_private_mounts(confined: HostRuntime) -> None:
    known = asyncio.run(confined.ground.walls())
    if not known["mounts"]:
        pytest.skip("this machine allows no private mounts")


def run(runtime: HostRuntime, launch: Launch) -> list[str]:
    async def story() -> int:
        running = await runtime.start(launch)
        assert running.failed is None, running.failed
        return (await runtime.wait(running, launch.folder)).code

    assert asyncio.run(story()) == 0, launch.log.read_text()
    return logged(launch)


def mounted() -> int:
    return Path("/proc/self/mountinfo").read_text().count("\n")


def test_volumes_where_no_folder_is(confined: HostRuntime, launch: MakeLaunch, tmp_path: Path) -> None:
    volume, hosts = tmp_path / "volume", tmp_path / "hosts"
    volume.mkdir()
    hosts.write_text("127.0.0.1 only-here\n")
    before, top = mounted(), sorted(os.listdir("/"))
    script = (
        "cat /etc/hosts; echo kept > /madang-nowhere/deep/file; cat /var/lib/madang-nowhere/file; ls /usr/bin/env; "
        "test -e /dev/null && echo dev; echo died > /dev/termination-log; ls -d /etc/passwd; echo $$"
    )
    mounts = [
        Mount(volume, "/madang-nowhere/deep"),
        Mount(volume, "/var/lib/madang-nowhere"),
        Mount(hosts, "/etc/hosts", read_only=True),
        Mount(tmp_path / "hosts", "/dev/termination-log"),
    ]
    lines = run(confined, launch(script, mounts=mounts))
    assert lines[:-1] == ["127.0.0.1 only-here", "kept", "/usr/bin/env", "dev", "/etc/passwd"]
    assert (volume / "file").read_text() == "kept\n"
    assert hosts.read_text() == "died\n"
    assert (mounted(), sorted(os.listdir("/"))) == (before, top)
    assert not Path("/var/lib/madang-nowhere").exists()


def test_read_only_is_read_only(confined: HostRuntime, launch: MakeLaunch, tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    mounts = [Mount(tmp_path / "volume", "/mnt", read_only=True)]
    (line,) = run(confined, launch("echo x 2>&1 > /mnt/file || true", mounts=mounts))
    assert "Read-only file system" in line


def test_memory_file_system(confined: HostRuntime, launch: MakeLaunch, tmp_path: Path) -> None:
    mounts = [Mount(Path(), "/mnt", tmpfs=True, size_bytes=1 << 20)]
    script = "grep ' /mnt ' /proc/mounts | cut -d' ' -f3; head -c 3000000 /dev/zero 2>&1 > /mnt/big || true"
    lines = run(confined, launch(script, mounts=mounts))
    assert lines[0] == "tmpfs"
    assert "No space left" in lines[1]
    assert not Path("/mnt/big").exists()


def test_a_mount_inside_a_mount(confined: HostRuntime, launch: MakeLaunch, tmp_path: Path) -> None:
    for name in ("app", "data"):
        (tmp_path / name).mkdir()
    mounts = [Mount(tmp_path / "data", "/madang-app/data"), Mount(tmp_path / "app", "/madang-app")]
    run(confined, launch("echo x > data/file", cwd="/madang-app", mounts=mounts))
    assert (tmp_path / "data" / "file").exists()


def test_a_mount_that_hides_the_sources_of_others(confined: HostRuntime, launch: MakeLaunch, tmp_path: Path) -> None:
    for name in ("volume", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "other" / "file").write_text("there\n")
    mounts = [Mount(tmp_path / "volume", "/tmp"), Mount(tmp_path / "other", "/mnt")]
    assert run(confined, launch("cat /mnt/file; echo x > /tmp/new; pwd", mounts=mounts))[0] == "there"
    assert (tmp_path / "volume" / "new").exists()


def test_sources_stay_live(confined: HostRuntime, launch: MakeLaunch, tmp_path: Path) -> None:
    """A mount below the source folder must not freeze what an editor replaces there."""
    (tmp_path / "data").mkdir()
    wanted = launch("echo up; read x; cat code.py", stdin=True)
    source = Path(wanted.cwd)
    (source / "code.py").write_text("old\n")
    wanted = launch_again(wanted, Mount(tmp_path / "data", f"{source}/data"))

    async def story() -> None:
        running = await confined.start(wanted)
        edit(source / "code.py", "new\n")
        edit_in_place(wanted.folder / "stdin", "go\n")
        assert (await confined.wait(running, wanted.folder)).code == 0

    asyncio.run(story())
    assert logged(wanted) == ["up", "new"]


def edit(path: Path, text: str) -> None:
    """As editors save: another file in its place."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def edit_in_place(path: Path, text: str) -> None:
    path.write_text(text)


def launch_again(launch: Launch, mount: Mount) -> Launch:
    return replace(launch, mounts=[mount])


def test_a_source_that_is_missing_is_named(confined: HostRuntime, launch: MakeLaunch, tmp_path: Path) -> None:
    async def story() -> None:
        running = await confined.start(launch("true", mounts=[Mount(tmp_path / "missing", "/mnt")]))
        assert running.failed is not None
        assert running.failed.reason == "StartError"
        assert f"{tmp_path}/missing on /mnt: mount: No such file or directory" in running.failed.message

    asyncio.run(story())
