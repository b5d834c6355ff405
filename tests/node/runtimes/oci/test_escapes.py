"""What a container's root tries in order to get out, or to change the machine: each fails, and its neighbours go on."""

import asyncio
import os
from pathlib import Path

import pytest

from madang.node.runtimes.monitor import record
from madang.node.runtimes.oci.runtime import ContainerRuntime
from madang.node.runtimes.runtime import Exit, Mount
from tests.node.runtimes.launching import logged
from tests.node.runtimes.oci.conftest import MakeContainer

# Each is to fail: who succeeds says so by its name. What a shell cannot do is left to the runtime's own tests.
TRIES = {
    "sysctl": "echo 1 > /proc/sys/kernel/panic",
    "core pattern": "echo '|/bin/sh' > /proc/sys/kernel/core_pattern",
    "ip forward": "echo 1 > /proc/sys/net/ipv4/ip_forward",
    "sysrq": "echo h > /proc/sysrq-trigger",
    "kernel memory": "cat /proc/kcore | head -c 1 | grep -q .",
    "keys": "cat /proc/keys | grep -q .",
    "timers": "cat /proc/timer_list | grep -q .",
    "irq": "echo 1 > /proc/irq/default_smp_affinity",
    "sys": "echo 1 > /sys/kernel/mm/ksm/run",
    "uevent": "echo /bin/sh > /sys/kernel/uevent_helper",
    "firmware": "ls /sys/firmware | grep -q .",
    "cgroup": "for i in /sys/fs/cgroup/*/; do mkdir $i/x && exit 0; done; exit 1",
    "limits": "for i in /sys/fs/cgroup/*/*.limit_in_bytes; do test -e $i && echo 1 > $i && exit 0; done; false",
    "release agent": "for i in /sys/fs/cgroup/*/release_agent; do echo /bin/sh > $i && exit 0; done; exit 1",
    "mount": "mount -t tmpfs t /tmp",
    "bind": "mount -o bind / /tmp",
    "remount": "mount -o remount,rw /proc/sys",
    "proc again": "mount -t proc p /tmp",
    "cgroup mount": "mount -t cgroup -o memory c /tmp",
    "umount": "umount /proc/kcore",
    "disk": "busybox mknod /tmp/sda b 8 0 && cat /tmp/sda | head -c 1 | grep -q .",
    "memory": "busybox mknod /tmp/mem c 1 1 && cat /tmp/mem | head -c 1 | grep -q .",
    "unshare": "unshare -m true",
    "unshare user": "unshare -U true",
    "nsenter": "busybox nsenter -t 1 -m true",
    "chroot": "busybox chroot /proc/1/root/.. ls {own}",
    "the first root": "ls /proc/1/root{own}",
    "clock": "busybox date -s 2001-01-01; test $(busybox date +%Y) = 2001",
    "reboot": "busybox reboot -f",
    "swap": "busybox swapoff -a",
    "module": "busybox insmod /bin/busybox",
    "kernel log": "busybox dmesg -c | grep -q .",
    "host name": "busybox hostname escaped",
    "network": "busybox ip link add d0 type dummy",
    "oom": "echo -1000 > /proc/1/oom_score_adj",
    "neighbour": "kill -9 {neighbour}",
    "debug": "ls /sys/kernel/debug | grep -q .",
    "link": "cat /volume/out/secret",
    "link to a volume": "echo escaped > /volume/out/secret",
    "up": "cat /volume/../../../../../../../../..{own}/secret",
}


def test_nobody_gets_out(runtime: ContainerRuntime, container: MakeContainer, tmp_path: Path) -> None:
    secret, volume = tmp_path / "secret", tmp_path / "volume"
    secret.write_text("kept")
    volume.mkdir()
    (volume / "out").symlink_to(tmp_path)  # as a program that had the volume before may have left it
    before = [Path(f"/proc/sys/{name}").read_text() for name in ("kernel/panic", "kernel/core_pattern")]

    async def scene() -> None:
        neighbour = container("sleep 1000", id="neighbour")
        other = await runtime.start(neighbour)
        places = {"own": tmp_path, "neighbour": other.pid}
        script = "; ".join(
            f"if ( {command.format(**places)} ) >/dev/null 2>&1; then echo 'out: {name}'; fi"
            for name, command in TRIES.items()
        )
        launch = container(f"{script}; echo over", mounts=(Mount(volume, "/volume"),))
        running = await runtime.start(launch)
        ended = await runtime.wait(running, launch.folder)
        assert ended.code == 0, logged(launch)
        assert "; ".join(logged(launch)) == "over"
        kept = record.read(neighbour.folder, record.RUNNING)
        assert kept is not None and record.alive(other.pid, other.started_ticks)
        await runtime.kill(other)
        await runtime.wait(other, neighbour.folder)

    asyncio.run(scene())
    assert secret.read_text() == "kept"
    assert [Path(f"/proc/sys/{name}").read_text() for name in ("kernel/panic", "kernel/core_pattern")] == before
    assert os.uname().nodename != "escaped"


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_part_of_a_volume_is_mounted_and_a_link_in_its_way_is_not(
    runtime: ContainerRuntime, container: MakeContainer, tmp_path: Path, kind: str
) -> None:
    """As if a program had swapped it for a link after the worker looked at it."""
    outside, volume = tmp_path / "outside", tmp_path / "volume"
    (volume / "a").mkdir(parents=True)
    if kind == "folder":
        (volume / "a" / "b").mkdir()
        outside.mkdir()
        (outside / "x").write_text("secret")
        (volume / "a" / "b" / "x").write_text("mine")
    else:
        outside.write_text("secret")
        (volume / "a" / "b").write_text("mine")
    part = Mount(volume / "a" / "b", "/part", within=volume)
    script = "cat /part/x" if kind == "folder" else "cat /part"

    async def scene(id: str) -> Exit:
        launch = container(f"{script}; echo", id=id, mounts=(part,))
        running = await runtime.start(launch)
        ended = await runtime.wait(running, launch.folder)
        if ended.code == 0:
            assert logged(launch) == ["mine"]
        await runtime.remove(launch.folder)
        assert not launch.folder.exists()
        return ended

    assert asyncio.run(scene("c-0")).code == 0
    (volume / "a").rename(volume / "old")
    (volume / "a").symlink_to("old")
    ended = asyncio.run(scene("c-1"))
    assert ended.reason == "StartError" and "has become a link" in ended.message
    (volume / "a").unlink()
    (volume / "a").mkdir()
    (volume / "a" / "b").symlink_to(outside)
    ended = asyncio.run(scene("c-2"))
    assert ended.reason == "StartError" and "has become a link" in ended.message
    assert (volume / "old" / "b").exists(), "what is in a volume stays when a container goes"
