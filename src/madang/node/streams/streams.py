"""Logs, exec, attach and port-forward for the pods of this house (`ports.streams.PodStreams`).

In: a pod's name and options. Out: streams; refusals in the API's words, as `StatusError`.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from madang.kinds.phase import ended, phase
from madang.node.agent import NodeAgent
from madang.node.launch.folders import Folders
from madang.node.pod import spec
from madang.node.pod.spec import Role
from madang.node.probes.result import dial_error
from madang.node.runtimes.runtime import Exit, Running, Runtime
from madang.node.streams.attachment import LogSession, Tunnel
from madang.node.streams.logs import printed
from madang.node.worker.worker import PodWorker
from madang.ports.errors import BadRequest, NotFound, StatusError
from madang.ports.objects import Obj
from madang.ports.streams import Connection, ExecOptions, LogOptions, Process


class NodeStreams:
    def __init__(self, agents: Sequence[NodeAgent]) -> None:
        self._agents = {a.share.name: a for a in agents}

    async def logs(self, namespace: str, pod: str, options: LogOptions) -> AsyncIterator[bytes]:
        found, agent = self._find(namespace, pod)
        role = _role(found, options.container)
        worker = agent.worker(namespace, pod)
        number = _attempt(found, worker, role, options.previous)
        kit = agent.kit
        folders, runtime, now = Folders(kit.home, found), _runtime(agent, worker), kit.clock.now_s()
        log = folders.log(role.name, number)
        running = _running(worker, role, number) if options.follow and not options.previous else None
        stream = "" if options.stream == "All" else options.stream.lower()
        ended: asyncio.Future[Exit] | None = None
        if running is not None:
            ended = asyncio.ensure_future(runtime.wait(running, folders.attempt(role.name, number)))
            yield b""  # it is there, and may say nothing for long
        try:
            chunks = runtime.logs(log, until=ended, tail=options.tail_lines, stream=stream)
            async with aclosing(chunks):
                async for out in printed(chunks, options, now):
                    yield out
        finally:
            if ended is not None:
                ended.cancel()

    async def exec(self, namespace: str, pod: str, options: ExecOptions) -> Process:
        found, agent = self._find(namespace, pod)
        role = _role(found, options.container)
        worker = agent.worker(namespace, pod)
        target = await worker.target(role.name) if worker is not None else None
        if target is None:
            raise _not_there(found, role, "exec into")
        inside = replace(options, command=target.command(options.command))
        return await target.runtime.exec(target.running, target.launch, inside)

    async def attach(self, namespace: str, pod: str, options: ExecOptions) -> Process:
        """To the output from now on; to the input where the container was given one (`stdin: true`)."""
        found, agent = self._find(namespace, pod)
        role = _role(found, options.container)
        worker = agent.worker(namespace, pod)
        number = _attempt(found, worker, role, previous=False)
        running = _running(worker, role, number)
        if running is None:
            raise _not_there(found, role, "attach")
        folders = Folders(agent.kit.home, found)
        stdin = folders.attempt(role.name, number) / "stdin" if options.stdin else None
        # Who talks to a program wants to see what it has asked already; who only looks, what comes.
        since = running.started_at_s if options.stdin else agent.kit.clock.now_s()
        runtime = _runtime(agent, worker)
        return LogSession(runtime, running, folders, role.name, number, stdin=stdin, since_s=since)

    async def forward(self, namespace: str, pod: str, port: int) -> Connection:
        found, _ = self._find(namespace, pod)
        ip = (found.get("status") or {}).get("podIP", "")
        if not ip or phase(found) != "Running":
            raise BadRequest(f"unable to forward port because pod is not running. Current status={phase(found)}")
        try:
            return Tunnel(*await asyncio.open_connection(ip, port))
        except OverflowError:
            raise BadRequest(f"error forwarding port {port}: no port has that number") from None
        except OSError as e:
            text = dial_error(e, ip, port)
            raise StatusError(f"error forwarding port {port} to pod {found['metadata']['uid']}: {text}") from e

    def _find(self, namespace: str, name: str) -> tuple[Obj, NodeAgent]:
        agent = next(iter(self._agents.values()))
        found = agent.kit.api.view.get("pods", namespace, name)
        if found is None:
            raise NotFound(f'pods "{name}" not found')
        node = found["spec"].get("nodeName", "")
        if not node:
            raise BadRequest(f"pod {name} does not have a host assigned")
        if node not in self._agents:
            raise NotFound(f'nodes "{node}" not found')
        return found, self._agents[node]


def _not_there(pod: Obj, role: Role, verb: str) -> StatusError:
    if ended(pod):
        return BadRequest(f"cannot {verb} a container in a completed pod; current phase is {phase(pod)}")
    return StatusError(f'container not found ("{role.name}")')


def _runtime(agent: NodeAgent, worker: PodWorker | None) -> Runtime:
    """Logs are the same for all."""
    return agent.kit.runtimes[agent.kit.runtime] if worker is None else worker.work.runtime


def _role(pod: Obj, name: str) -> Role:
    everything = list(spec.roles(pod))
    if not name:
        preferred = (pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container")
        mains = list(spec.mains(pod))
        chosen = [r for r in mains if r.name == preferred] or mains
        if len(mains) > 1 and not preferred:
            inits = [r.name for r in spec.inits(pod)]
            tail = f" or one of the init containers: [{' '.join(inits)}]" if inits else ""
            names = " ".join(r.name for r in mains)
            raise BadRequest(
                f"a container name must be specified for pod {pod['metadata']['name']}, choose one of: [{names}]{tail}"
            )
        return chosen[0]
    for r in everything:
        if r.name == name:
            return r
    raise BadRequest(f"container {name} is not valid for pod {pod['metadata']['name']}")


def _attempt(pod: Obj, worker: PodWorker | None, role: Role, previous: bool) -> int:
    """The number of the start whose output is asked for."""
    status = pod.get("status") or {}
    told = [c for k in ("initContainerStatuses", "containerStatuses") for c in status.get(k) or ()]
    mine: Obj = next((c for c in told if c["name"] == role.name), {})
    number = int(mine.get("restartCount") or 0)
    begun = bool(mine.get("containerID"))
    if worker is not None:
        c = worker.facts.of(role.name)
        number, begun = max(c.attempt, 0), c.attempt >= 0
    name = pod["metadata"]["name"]
    if previous and number == 0:
        raise BadRequest(f'previous terminated container "{role.name}" in pod "{name}" not found')
    if not begun:
        state = (mine.get("state") or {}).get("waiting") or {}
        why = state.get("reason") or "ContainerCreating"
        raise BadRequest(f'container "{role.name}" in pod "{name}" is waiting to start: {why}')
    return number - 1 if previous else number


def _running(worker: PodWorker | None, role: Role, number: int) -> Running | None:
    if worker is None:
        return None
    c = worker.facts.of(role.name)
    return c.running if c.attempt == number else None
