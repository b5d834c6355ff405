"""Which walls this machine lets us put up: tried for real, in a process that is thrown away.

In: a `Confinement`. Out: `{"works": true}`, or `{"error": ...}` with the call that was refused.
"""

import os
import signal
import socket
from typing import Any

from madang.node.runtimes.monitor import walls
from madang.node.runtimes.monitor.container import enter
from madang.node.runtimes.monitor.request import send
from madang.node.runtimes.monitor.syscalls import MS_BIND, MS_NODEV, MS_NOSUID, mount


def run(sock: socket.socket, spec: dict[str, Any]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    wanted = spec["confinement"]
    try:
        enter(wanted, "")
        if wanted["mounts"]:
            walls.apart([])
            mount("tmpfs", spec["folder"], "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
            os.mkdir(f"{spec['folder']}/a")
            mount(f"{spec['folder']}/a", f"{spec['folder']}/a", flags=MS_BIND)
        if wanted["pids"]:
            walls.own_proc()
            if os.getpid() != 1:
                raise OSError("not the first process of the new PID namespace")
    except OSError as error:
        send(sock, {"error": str(error)})
        return
    send(sock, {"works": True})
