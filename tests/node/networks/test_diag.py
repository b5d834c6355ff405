"""The kernel's own word about listening sockets: the same as /proc says, of this namespace and of another."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from madang.node.networks import diag, sockets
from madang.node.networks.diag import Listener


def ours(found: list[Listener], *ports: int) -> set[Listener]:
    return {one for one in found if one.port in ports}


def test_the_same_as_proc_says() -> None:
    with socket.create_server(("127.0.0.1", 0)) as four, socket.create_server(("::", 0), family=socket.AF_INET6) as six:
        mapped = socket.socket(socket.AF_INET6)
        mapped.bind(("::ffff:127.0.0.1", 0))
        mapped.listen()
        with mapped, socket.create_connection(four.getsockname()):
            ports = [one.getsockname()[1] for one in (four, six, mapped)]
            found = ours(diag.listening("self"), *ports)
            assert found == ours(list(sockets.from_proc("self")), *ports)
            assert {(one.ip, one.port) for one in found} == {
                ("127.0.0.1", ports[0]), ("::", ports[1]), ("127.0.0.1", ports[2])
            }  # fmt: skip
            assert {one.inode for one in found} <= sockets.inodes([os.getpid()])


PROGRAM = """
import os, socket, sys
os.unshare(os.CLONE_NEWNET) if hasattr(os, "unshare") else __import__("ctypes").CDLL(None).unshare(0x40000000)
server = socket.create_server(("0.0.0.0", 4711))
print("listens", flush=True)
sys.stdin.read()
"""


def test_of_another_namespace_and_back() -> None:
    if os.geteuid() != 0:
        pytest.skip("another network namespace needs root")
    before = Path("/proc/thread-self/ns/net").readlink()
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"listens\n"
        if Path(f"/proc/{program.pid}/ns/net").readlink() == before:
            program.kill()
            pytest.skip("this machine allows no network namespaces")
        (found,) = diag.listening(program.pid)
        assert (found.ip, found.port) == ("0.0.0.0", 4711)
        assert list(sockets.listeners(program.pid, 4711)) == [found]
        assert not [one for one in sockets.listeners(port=4711) if one.inode == found.inode]
        assert Path("/proc/thread-self/ns/net").readlink() == before
        program.kill()


def test_where_the_kernel_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> socket.socket:
        raise PermissionError(1, "not here")

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(diag, "_socket", refuse)
        (found,) = sockets.listeners(port=server.getsockname()[1])
        assert found.ip == "127.0.0.1"


def test_a_process_that_is_gone() -> None:
    program = subprocess.Popen(["true"])
    program.wait()
    assert list(sockets.listeners(program.pid)) == []
