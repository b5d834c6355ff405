"""What the zygote is told, as values."""

from dataclasses import replace
from pathlib import Path

from madang.node.runtimes import confinement, orders
from madang.node.runtimes.aftermath import MARK
from madang.node.runtimes.monitor.request import ANY, FIRST
from madang.node.runtimes.runtime import Mount
from madang.node.runtimes.zygote import word_for
from madang.ports.streams import ExecOptions
from tests.node.runtimes.launching import MakeLaunch

FULL, NONE = confinement.WAYS[0].confinement, confinement.NONE.confinement
THROUGH_USER = confinement.WAYS[2].confinement


def test_a_run(launch: MakeLaunch) -> None:
    wanted = launch("true", memory_bytes=1 << 20, mounts=[Mount(Path("/a"), "/b", read_only=True)])
    order = orders.run(wanted, FULL, None, [])
    assert order["argv"] == ["sh", "-c", "true"]
    assert order["mounts"] == [{"source": "/a", "target": "/b", "read_only": True, "tmpfs": False, "size_bytes": None}]
    assert (order["cgroup"], order["memory_bytes"]) == (None, 1 << 20)  # no cgroup: the monitor watches
    assert MARK not in order["env"]


def test_without_a_pid_namespace_processes_are_marked(launch: MakeLaunch) -> None:
    wanted = launch("true")
    assert orders.run(wanted, NONE, None, [])["env"][MARK] == wanted.id


def test_only_rights_of_its_own_let_the_zygote_make_the_namespace(launch: MakeLaunch) -> None:
    wanted = launch("true")
    made = [word_for(orders.run(wanted, walls, None, [])) for walls in (FULL, THROUGH_USER, NONE)]
    assert made == [FIRST, ANY, ANY]
    assert word_for({"verb": "probe", "confinement": FULL}) == ANY


def test_an_exec_goes_through_the_walls_that_stand(launch: MakeLaunch) -> None:
    wanted = replace(launch("true"), env={"A": "1"})
    running = {"monitorPid": 7, "confinement": FULL, "cgroup": {"folders": ["/sys/x"]}}
    options = ExecOptions(command=["id"], tty=True, env=[("A", "2"), ("B", "3")])
    order = orders.exec(wanted, options, running)
    assert order["env"] == {"A": "2", "B": "3", "TERM": "xterm"}
    assert (order["pid"], order["confinement"], order.get("cgroup")) == (7, FULL, ["/sys/x"])
