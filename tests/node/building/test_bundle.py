from pathlib import Path

from madang.node.building.bundle import config
from madang.node.building.runner import Bind, Order
from madang.node.runtimes.oci.machine import Machine
from madang.node.runtimes.oci.users import Who

ORDER = Order(("sh",), (("A", "1"),), "/w", Who(5, 6, (7,)))


def test_the_process() -> None:
    found = config(ORDER, Path("/root"), Machine(capabilities=("CAP_CHOWN", "CAP_SYS_ADMIN")))
    process = found["process"]
    assert process["env"][0].startswith("PATH=") and process["env"][1:] == ["A=1"]
    assert process["user"] == {"uid": 5, "gid": 6, "additionalGids": [7]}
    assert process["capabilities"]["bounding"] == ["CAP_CHOWN"]
    assert process["capabilities"]["effective"] == []
    assert [n["type"] for n in found["linux"]["namespaces"]] == ["pid", "ipc", "uts", "mount"]


def test_no_network_and_no_seccomp() -> None:
    order = Order(("sh",), (("PATH", "/x"),), "", Who(), network=False)
    found = config(order, Path("/root"), Machine(seccomp=False))
    assert {"type": "network"} in found["linux"]["namespaces"]
    assert "seccomp" not in found["linux"]
    assert (found["process"]["env"], found["process"]["cwd"]) == (["PATH=/x"], "/")


def test_mounts_stand_from_outer_to_inner_and_win_over_ours() -> None:
    binds = (Bind("/a/b", Path("/s"), readonly=True), Bind("/a", size_bytes=5), Bind("/dev/shm", Path("/shm")))
    order = Order(("sh",), (), "/", Who(), binds)
    found = config(order, Path("/root"), Machine())["mounts"]
    assert [m["destination"] for m in found][-3:] == ["/a", "/a/b", "/dev/shm"]
    assert [m["destination"] for m in found].count("/dev/shm") == 1
    assert found[-3]["options"][-1] == "size=5" and found[-2]["options"][-1] == "ro"
