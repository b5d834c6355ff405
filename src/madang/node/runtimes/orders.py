"""From what a pod worker asks to what the zygote is told: pure translations.

In: `Launch`, `ExecOptions`, what was found to work. Out: the requests of `monitor.request`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from madang.node.runtimes.aftermath import mark
from madang.node.runtimes.cgroup import Cgroups
from madang.node.runtimes.monitor.request import Confinement, ExecSpec, MountSpec, RunSpec
from madang.node.runtimes.runtime import Launch, Mount
from madang.ports.streams import ExecOptions


def run(launch: Launch, walls: Confinement, cgroups: Cgroups | None, hide: Sequence[str]) -> RunSpec:
    key = hashlib.sha1(launch.id.encode(), usedforsecurity=False).hexdigest()[:20]
    groups = cgroups.spec(key, launch.cpu_millis, launch.memory_bytes) if cgroups else None
    return {
        "verb": "run",
        "id": launch.id,
        "folder": str(launch.folder),
        "argv": list(launch.argv),
        "env": dict(launch.env) if walls["pids"] else mark(launch.env, launch.id),
        "cwd": launch.cwd,
        "log": str(launch.log),
        "log_max_bytes": launch.log_max_bytes,
        "log_files": launch.log_files,
        "mounts": [mount_spec(mount) for mount in launch.mounts],
        "hostname": launch.hostname,
        "netns": launch.netns,
        "hide": list(hide),
        "user": launch.user,
        "groups": list(launch.groups),
        "stdin": launch.stdin,
        "stdin_once": launch.stdin_once,
        "tty": launch.tty,
        "cgroup": groups,
        "memory_bytes": None if groups else launch.memory_bytes,
        "confinement": walls,
    }


def mount_spec(mount: Mount) -> MountSpec:
    return {
        "source": str(mount.source),
        "target": mount.target,
        "read_only": mount.read_only,
        "tmpfs": mount.tmpfs,
        "size_bytes": mount.size_bytes,
    }


def exec(launch: Launch, options: ExecOptions, running: Mapping[str, Any]) -> ExecSpec:
    """`running` is the monitor's record: a newer house enters the walls that an older one put up."""
    env = {**launch.env, **dict(options.env)}
    if options.tty:
        env.setdefault("TERM", "xterm")
    return {
        "verb": "exec",
        "pid": running["monitorPid"],
        "argv": list(options.command),
        "env": env if running["confinement"]["pids"] else mark(env, launch.id),
        "cwd": launch.cwd,
        "user": launch.user,
        "groups": list(launch.groups),
        "tty": options.tty,
        "cgroup": running["cgroup"]["folders"] if running["cgroup"] else [],
        "confinement": running["confinement"],
    }
