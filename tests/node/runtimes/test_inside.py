"""What is other where the courtyard lives in namespaces of its own: who programs are, what stands around them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from madang.node.networks import masquerade, namespaces
from madang.node.runtimes import confinement
from madang.node.runtimes.ground import Ground
from madang.node.runtimes.host import HostRuntime
from madang.node.runtimes.monitor.request import FIRST, SMALL
from madang.node.runtimes.oci import machine
from madang.node.runtimes.oci.probing import Candidates, lent
from madang.node.runtimes.oci.runtime import PING, ContainerRuntime, fitted, last_group, memory_bytes
from madang.node.runtimes.runtime import Container, Launch, Limited
from madang.node.runtimes.zygote import Zygote, word_for
from madang.porch import standing

RUN = {"verb": "run", "confinement": confinement.OUTER.confinement}


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Path]:
    standing.come_in(str(tmp_path / "run"), 1000, 100)
    yield tmp_path / "run"
    standing.come_out()


def launch(**more: object) -> Launch:
    return Launch("c", Path("/f"), ["true"], {}, "/", Path("/l"), **more)  # type: ignore[arg-type]


def test_programs_are_who_they_are_outside(inside: Path) -> None:
    walls = confinement.ways()
    assert [way.name for way in walls] == ["user namespace", "user and mount namespace"]
    assert all(way.confinement["ids"] == [1000, 100] for way in walls)
    runtime = HostRuntime("unused", limits=False)
    assert runtime.refuses(launch(user="1000")) == "" and runtime.refuses(launch(user="1000:100")) == ""
    assert "only root may become another user: here everything is user 1000" in runtime.refuses(launch(user="0"))


def test_containers_have_the_ids_of_the_courtyard(inside: Path) -> None:
    ground = Ground(Zygote(), None, confinement.WAYS[2])
    assert asyncio.run(ground.outer()) == confinement.OUTER.confinement
    assert word_for(RUN) == SMALL, "the zygote could not come back from a PID namespace"
    why = Candidates(("true",)).hopeless(confinement.OUTER.confinement, None)
    assert "cgroup" not in why, "containers do without cgroups, which nobody may make"
    assert machine.look(2).oom_score_least == int(Path("/proc/self/oom_score_adj").read_text())


def test_elsewhere_all_of_it_is_as_it_was() -> None:
    assert confinement.ways() == confinement.WAYS and word_for(RUN) == FIRST
    ground = Ground(Zygote(), None, confinement.WAYS[2])
    assert asyncio.run(ground.outer()) == confinement.WAYS[2].confinement
    assert namespaces.place() == namespaces.FOLDER and masquerade.before() == masquerade.BEFORE


def test_what_is_kept_for_root_elsewhere_is_kept_in_the_courtyards_folder(inside: Path) -> None:
    assert namespaces.place() == inside / "inside" / "netns"
    assert masquerade.before() == inside / "inside" / "ip_forward"


def test_one_id_is_too_few_for_containers() -> None:
    assert not lent("         0       1000          1\n")
    assert lent("         0       1000          1\n         1     100000      65535\n")


def test_a_range_of_groups_ends_where_the_user_namespace_does() -> None:
    last = last_group("         0       1000          1\n         1     100000      65535\n")
    assert last == 65535
    assert fitted({PING: "0 2147483647", "kernel.x": "1"}, last) == {PING: "0 65535", "kernel.x": "1"}
    assert fitted({PING: "0 5"}, last) == {PING: "0 5"} and fitted({}, last) == {}


def test_the_memory_that_a_monitor_watches() -> None:
    config = {"linux": {"resources": {"memory": {"limit": 1 << 20}}}}
    assert memory_bytes(launch(container=Container((), config))) == 1 << 20
    assert memory_bytes(launch(container=Container((), {"linux": {}}))) is None
    assert memory_bytes(launch(memory_bytes=7)) == 7


@pytest.mark.parametrize("contained", [False, True])
def test_a_limit_that_cannot_hold_is_named(contained: bool) -> None:
    host = HostRuntime("unused")
    runtime = ContainerRuntime(host.ground) if contained else host
    assert isinstance(runtime, Limited) and host.ground.cgroups is not None
    host.ground.cgroups.version, host.ground.cgroups.why_not = 0, "/sys/fs/cgroup: Permission denied"
    assert runtime.unheld(launch()) == ""
    why = "limits.cpu 500m cannot hold: no cgroup can be made here (/sys/fs/cgroup: Permission denied)"
    assert runtime.unheld(launch(cpu_millis=500)) == why
    host.ground.cgroups.version = 2
    assert runtime.unheld(launch(cpu_millis=500)) == ""
