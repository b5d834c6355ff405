"""Puts a launch together from what the store and the disk hold now.

In: a container, its program. Out: the `Launch`, its folders and files made. What cannot be had raises `Declined`
with the reason that the container's status shows.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from madang.node.containers.containers import BASE
from madang.node.containers.security import Denied
from madang.node.images.images import NotHere
from madang.node.images.store import Damaged
from madang.node.launch.environment import Missing, environment, expand
from madang.node.launch.launch import Setting, launch, with_mounts
from madang.node.launch.relocation import Places, relocate
from madang.node.names import resolver
from madang.node.names.hosts import hostname, write
from madang.node.pod import spec
from madang.node.pod.container_status import full_name
from madang.node.pod.spec import Role
from madang.node.probes.handler import Target
from madang.node.runtimes.runtime import Launch, Limited, Mount, Runtime
from madang.node.small_files import folder, make
from madang.node.volumes.content import Refused
from madang.node.volumes.volumes import only_read, source_of
from madang.node.worker.sandbox import SandboxHand
from madang.node.worker.work import PodWork
from madang.porch import standing
from madang.ports.objects import Obj
from madang.ports.program import HOST, Program

_RESOLVER = "/etc/resolv.conf"
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"


class Declined(Exception):
    """`reason` is the API's (CreateContainerConfigError, CreateContainerError)."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Launching:
    def __init__(self, work: PodWork, sandbox: SandboxHand) -> None:
        self._work, self._kit, self._sandbox = work, work.kit, sandbox
        self._made: dict[str, tuple[int, Launch]] = {}  # by container: the newest
        self._places: dict[str, Places] = {}  # by container, where its paths had to be rewritten

    async def launch(self, role: Role, attempt: int, program: Program) -> Launch:
        """Everything for one start. The richest form that this machine can honour is taken."""
        runtime = self._work.chosen.runtime
        if runtime is None:
            raise Declined("CreateContainerError", self._work.chosen.missing)
        plain, comfort = await self._compose(role, attempt, program)
        if self._work.chosen.in_container:
            whole = await self._contained(role, plain, comfort)
        else:
            whole = self._on_host(runtime, role, plain, comfort, program)
        await self._kit.aside(lambda: self._touch(role, attempt))
        if isinstance(runtime, Limited) and role.name not in self._made and (why := runtime.unheld(whole)):
            self._work.emit("Warning", "LimitNotEnforced", why, role)
        self._made[role.name] = (attempt, whole)
        return whole

    async def _contained(self, role: Role, plain: Launch, comfort: tuple[Mount, ...]) -> Launch:
        """In a container every mount can be had; what the house adds is the machine's own names, too."""
        known, work = self._kit.containers, self._work
        assert known is not None
        if not plain.argv:
            raise Declined("CreateContainerError", "no command specified")
        files = [*comfort, Mount(work.folders.hostname, "/etc/hostname"), *_resolver()]
        try:
            reference = str(role.spec.get("image") or "")
            await self._kit.aside(lambda: known.hold(reference, work.uid))
            return known.contained(
                work.pod, role, with_mounts(plain, _first(files)), full_name(work.pod), work.folders.ipc
            )
        except Denied as e:
            raise Declined("CreateContainerConfigError", str(e)) from e
        except Damaged as e:
            raise Declined("CreateContainerError", str(e)) from e

    def program(self, role: Role, policy: str = "") -> Program | NotHere:
        """What a container's image stands for, on the runtime that its pod has."""
        reference = role.spec.get("image") or ""
        policy = policy or role.spec.get("imagePullPolicy") or "IfNotPresent"
        if self._work.chosen.in_container and self._kit.containers is not None:
            return self._kit.containers.resolve(reference, policy)
        return self._kit.images.resolve(reference, policy)

    def image_id(self, role: Role) -> str:
        """Empty where it is no image, but a program of this machine."""
        known = self._kit.containers if self._work.chosen.in_container else None
        image = known.find(role.spec.get("image") or "") if known is not None else None
        return "" if image is None else image.id

    def _on_host(
        self, runtime: Runtime, role: Role, plain: Launch, comfort: tuple[Mount, ...], program: Program
    ) -> Launch:
        if why := _root(self._work.pod, role, plain.user):
            raise Declined("CreateContainerConfigError", why)
        if not plain.argv:
            raise Declined("CreateContainerError", "no command specified")
        return self._honoured(runtime, role, plain, comfort, program)

    def _honoured(
        self, runtime: Runtime, role: Role, plain: Launch, comfort: tuple[Mount, ...], program: Program
    ) -> Launch:
        """The richest form that this machine can honour; without private mounts, one whose paths are the real ones."""
        files = tuple(Mount(Path(source), target) for source, target in program.mounts)
        whole = with_mounts(plain, (*files, *comfort))
        own, base = (self._work.folders.root, program.root), self._kit.base
        self._places.pop(role.name, None)
        if not runtime.refuses(whole):
            if runtime.private_mounts:
                return whole
            # Links inside the working folder do; what the house adds lies elsewhere.
            added = relocate(replace(plain, mounts=()), comfort, base, own)
            self._places[role.name] = added.places
            return replace(added.launch, mounts=whole.mounts)
        relocated = relocate(plain, (*files, *comfort), base, own)
        if why := runtime.refuses(relocated.launch):
            raise Declined("CreateContainerError", why)
        self._places[role.name] = relocated.places
        if relocated.moved:
            self._work.emit("Normal", "Relocated", relocated.message, role)
        return relocated.launch

    async def again(self, role: Role, attempt: int) -> Launch:
        """The launch of a container that runs. An adopted one's is put together once more, as far as what it was
        made of is still there: it must be possible to stop it in any case."""
        made = self._made.get(role.name)
        if made is not None and made[0] == attempt:
            return made[1]
        program = self.program(role, "Never")
        if isinstance(program, NotHere):
            program = Program(HOST, self._work.folders.root)
        try:
            return await self.launch(role, attempt, program)
        except Declined:
            setting = Setting(program, {}, (), "", self._kit.base)
            return launch(self._work.folders, role, attempt, setting)[0]

    async def target(self, name: str) -> Target | None:
        """A running container as probes, hooks and exec meet it."""
        c = self._work.facts.of(name)
        running = c.running
        if running is None:
            return None
        role = spec.role(self._work.pod, name)
        launch = await self.again(role, c.attempt)
        return Target(role, self._work.facts.ip, self._work.runtime, running, launch, self._places.get(name))

    async def _compose(self, role: Role, attempt: int, program: Program) -> tuple[Launch, tuple[Mount, ...]]:
        try:
            env = self._environment(role)
            mounts = self._mounts(role, await self._sandbox.prepared_volumes(), env)
        except (Missing, Refused, ValueError) as e:
            raise Declined("CreateContainerConfigError", str(e)) from e
        netns = self._sandbox.attachment.netns if self._sandbox.attachment is not None else ""
        # What every pod is given unasked must not keep it from running where nothing can be mounted.
        given = tuple(m for m in mounts if m.target == TOKEN_PATH)
        asked = tuple(m for m in mounts if m.target != TOKEN_PATH)
        base = BASE if self._work.chosen.in_container else self._kit.base
        setting = Setting(program, env, asked, netns, base, self._resolver())
        plain, comfort = launch(self._work.folders, role, attempt, setting)
        return plain, given + comfort

    def _resolver(self) -> Path | None:
        """The pod's own file, where it has one and there is a place to show it; else the network's."""
        place = self._work.chosen.in_container or os.path.exists(_RESOLVER)
        own = place and resolver.wanted(self._work.pod, self._kit.dns)
        return self._work.folders.resolver if own else self._kit.resolver

    def _environment(self, role: Role) -> dict[str, str]:
        view, pod = self._kit.api.view, self._work.pod
        namespace = pod["metadata"]["namespace"]
        place = self._kit.place(self._sandbox.attachment.ip if self._sandbox.attachment else "")
        neighbours = list(view.list("services")) if place.loopback else []
        return environment(pod, role, lambda k, n: view.get(k, namespace, n), self._linked(pod), place, neighbours)

    def _linked(self, pod: Obj) -> list[Obj]:
        """The Services whose variables a pod gets: its namespace's, and always the API's own."""
        view, namespace = self._kit.api.view, pod["metadata"]["namespace"]
        api = view.get("services", "default", "kubernetes")
        found = [] if api is None or namespace == "default" else [api]
        if pod["spec"].get("enableServiceLinks") is False:
            return [api] if api is not None else []
        return [*found, *view.list("services", namespace)]

    def _mounts(self, role: Role, made: dict[str, Path], env: dict[str, str]) -> tuple[Mount, ...]:
        mounts = []
        for m in role.spec.get("volumeMounts") or ():
            sub_path = m.get("subPath") or expand(m.get("subPathExpr") or "", env)
            read_only = bool(m.get("readOnly")) or only_read(self._work.pod, m["name"])
            within = made[m["name"]].resolve() if sub_path else None
            mounts.append(Mount(source_of(made, m, sub_path), m["mountPath"], read_only, within=within))
        return tuple(mounts)

    def _touch(self, role: Role, attempt: int) -> None:
        """The folders and files that a start expects."""
        folders, kit = self._work.folders, self._kit
        if resolver.wanted(self._work.pod, kit.dns):
            write(folders.resolver, resolver.resolver(self._work.pod, kit.dns, _machines(kit.resolver)))
        folder(folders.attempt(role.name, attempt))
        folder(folders.log(role.name, attempt).parent)
        make(folders.termination_log(role.name, attempt), 0o666)
        if self._work.chosen.in_container:
            folders.hostname.write_text(f"{hostname(self._work.pod)}\n")


def _machines(other: Path | None) -> str:
    try:
        return (other or Path(_RESOLVER)).read_text()
    except OSError:
        return ""


def _resolver() -> list[Mount]:
    """The machine's own, where the network has no other."""
    found = os.path.realpath(_RESOLVER)
    return [Mount(Path(found), _RESOLVER, read_only=True)] if os.path.exists(found) else []


def _first(mounts: Sequence[Mount]) -> tuple[Mount, ...]:
    """One for each place: the first."""
    return tuple({m.target: m for m in reversed(mounts)}.values())


def _root(pod: Obj, role: Role, user: str) -> str:
    """Why a container that must not run as root would; empty where it does not."""
    contexts = [role.spec.get("securityContext") or {}, pod["spec"].get("securityContext") or {}]
    wanted = next((c["runAsNonRoot"] for c in contexts if "runAsNonRoot" in c), False)
    uid = user.partition(":")[0]
    root = uid in ("0", "root") or (not uid and standing.user() == 0)
    if not wanted or not root:
        return ""
    whose = "runAsUser breaks non-root policy" if uid else "runAsNonRoot and image will run as root"
    return f'container has {whose} (pod: "{full_name(pod)}", container: {role.name})'
