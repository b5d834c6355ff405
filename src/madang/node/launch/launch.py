"""How a container is started: a `Launch`, put together from the pod, its program, its volumes and its place.

In: values. Out: the launch, and which of its mounts are mere comfort: they are left out where the machine allows
no private mounts. Paths are computed, not looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from madang.node.launch.environment import expand
from madang.node.launch.folders import Folders
from madang.node.names.hosts import hostname
from madang.node.pod import spec
from madang.node.pod.spec import Role
from madang.node.runtimes.runtime import Launch, Mount
from madang.porch import standing
from madang.ports.objects import Obj
from madang.ports.program import HOST, Program

TERMINATION_LOG = "/dev/termination-log"
_BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Setting:
    """What one start is made of, besides pod and container. `base` is the environment that every program of this
    machine gets (PATH, HOME, LANG); `resolver` a resolv.conf, where the network has its own."""

    program: Program
    env: Mapping[str, str]
    mounts: tuple[Mount, ...]
    netns: str
    base: Mapping[str, str]
    resolver: Path | None = None


def launch(folders: Folders, role: Role, attempt: int, setting: Setting) -> tuple[Launch, tuple[Mount, ...]]:
    """The launch without, and the mounts with which it is more comfortable."""
    pod, program = folders.pod, setting.program
    env = _environment(pod, program, setting)
    command = tuple(expand(a, env) for a in role.spec.get("command") or ())
    args = tuple(expand(a, env) for a in role.spec.get("args") or ())
    user, groups = identity(pod, role)
    cpu, memory = spec.limit(role, "cpu"), spec.limit(role, "memory")
    lifecycle = role.spec.get("lifecycle") or {}
    whole = Launch(
        id=f"{pod['metadata']['uid']}-{role.name}-{attempt}",
        folder=folders.attempt(role.name, attempt),
        argv=program.argv(command, args),
        env=env,
        cwd=working_folder(folders, role, program),
        log=folders.log(role.name, attempt),
        mounts=setting.mounts,
        hostname=hostname(pod),
        netns=setting.netns,
        user=user,
        groups=groups,
        stdin=bool(role.spec.get("stdin")),
        stdin_once=bool(role.spec.get("stdinOnce")),
        tty=bool(role.spec.get("tty")),
        cpu_millis=None if cpu is None else int(cpu * 1000),
        memory_bytes=None if memory is None else int(memory),
        stop_signal=lifecycle.get("stopSignal") or program.stop_signal or "SIGTERM",
    )
    return whole, _comfort(folders, role, attempt, setting)


def _environment(pod: Obj, program: Program, setting: Setting) -> dict[str, str]:
    env = {**setting.base, "HOSTNAME": hostname(pod), **program.env}
    if program.path:
        env["PATH"] = ":".join([*program.path, env.get("PATH") or _BASE_PATH])
    return {**env, **setting.env}


def working_folder(folders: Folders, role: Role, program: Program) -> str:
    given = role.spec.get("workingDir")
    if given:
        return str(given)
    if program.reference == HOST:
        return str(folders.root)
    return program.cwd or str(program.root)


def identity(pod: Obj, role: Role) -> tuple[str, tuple[int, ...]]:
    """(uid[:gid] or name, supplementary groups); empty: ours. What an image calls its user is none of this
    machine's, and could read neither the source nor its environment: only the pod's own wish counts."""
    mine, whole = role.spec.get("securityContext") or {}, pod["spec"].get("securityContext") or {}
    uid = mine.get("runAsUser", whole.get("runAsUser"))
    gid = mine.get("runAsGroup", whole.get("runAsGroup"))
    groups = [*(whole.get("supplementalGroups") or ()), *([whole["fsGroup"]] if "fsGroup" in whole else ())]
    if uid is None:
        return ("" if gid is None else f"{standing.user()}:{gid}"), tuple(groups)
    return (f"{uid}" if gid is None else f"{uid}:{gid}"), tuple(groups)


def _comfort(folders: Folders, role: Role, attempt: int, setting: Setting) -> tuple[Mount, ...]:
    message = role.spec.get("terminationMessagePath") or TERMINATION_LOG
    mounts = [Mount(folders.termination_log(role.name, attempt), message), Mount(folders.hosts, "/etc/hosts")]
    if setting.resolver is not None:
        mounts.append(Mount(setting.resolver, "/etc/resolv.conf", read_only=True))
    return tuple(mounts)


def with_mounts(plain: Launch, more: tuple[Mount, ...]) -> Launch:
    """What the pod itself mounts at a place wins."""
    taken = {m.target for m in plain.mounts}
    return replace(plain, mounts=(*plain.mounts, *(m for m in more if m.target not in taken)))
