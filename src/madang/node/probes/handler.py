"""The hands of probes and lifecycle hooks: exec, httpGet, tcpSocket, sleep; each try cut off at its timeout.

In: the running container and the handler as the pod gives it. Out: a `Result`.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from madang.node.launch.relocation import Places
from madang.node.pod import spec
from madang.node.pod.spec import Role
from madang.node.probes.grpc import grpc_check
from madang.node.probes.http import http_get
from madang.node.probes.result import Result, dial_error
from madang.node.runtimes.runtime import Launch, Running, Runtime
from madang.ports.errors import StatusError
from madang.ports.objects import Obj
from madang.ports.streams import ExecOptions

_OUTPUT_BYTES = 10 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """The container that is asked. `launch` is how it was started: an exec runs in the same place. `places`: where its
    paths had to be rewritten, a command's are too."""

    role: Role
    ip: str
    runtime: Runtime
    running: Running
    launch: Launch
    places: Places | None = None

    def command(self, words: Sequence[str]) -> tuple[str, ...]:
        return tuple(words if self.places is None else self.places.command(words))


class Handler(Protocol):
    async def ask(self, target: Target, what: Obj, timeout_s: float) -> Result: ...


class SystemHandler:
    """Asks for real."""

    async def ask(self, target: Target, what: Obj, timeout_s: float) -> Result:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._ask(target, what)
        except TimeoutError:
            return Result(False, _too_slow(target, what, timeout_s))

    async def _ask(self, target: Target, what: Obj) -> Result:
        if "exec" in what:
            return await _exec(target, what["exec"].get("command") or ())
        if "httpGet" in what:
            port = spec.port_number(target.role, what["httpGet"]["port"])
            if port is None:
                return Result(False, f"couldn't find port: {what['httpGet']['port']}")
            return await http_get(target.ip, port, what["httpGet"])
        if "tcpSocket" in what:
            return await _connect(target, what["tcpSocket"])
        if "grpc" in what:
            return await grpc_check(target.ip, int(what["grpc"]["port"]), what["grpc"].get("service") or "")
        if "sleep" in what:
            await asyncio.sleep(float(what["sleep"].get("seconds") or 0))
            return Result(True)
        return Result(False, f"this handler isn't built yet: {', '.join(what)}")


async def _connect(target: Target, what: Obj) -> Result:
    host, port = what.get("host") or target.ip, spec.port_number(target.role, what["port"])
    if port is None:
        return Result(False, f"couldn't find port: {what['port']}")
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError as e:
        return Result(False, dial_error(e, host, port))
    writer.close()
    return Result(True)


async def _exec(target: Target, command: tuple[str, ...] | list[str]) -> Result:
    own = tuple(own_place(target.role, target.ip, word) for word in target.command(command))
    options = ExecOptions(container=target.role.name, command=own)
    try:
        process = await target.runtime.exec(target.running, target.launch, options)
    except StatusError as e:
        return Result(False, e.message)
    output = bytearray()
    try:
        while (piece := await process.read()) is not None:
            if len(output) < _OUTPUT_BYTES:
                output += piece[1]
        code = await process.wait()
    finally:
        await process.close()
    # what it said and nothing else, even where that is nothing: the event's words are those of a kubelet
    return Result(code == 0, "" if code == 0 else output[:_OUTPUT_BYTES].decode("utf-8", "replace"))


def own_place(role: Role, ip: str, word: str) -> str:
    """Where pods have addresses of their own in 127.0.0.0/8, `localhost:PORT` in a health command means the pod's
    own address, as far as the port is one that the container declares."""
    if not ip.startswith("127."):
        return word
    for port in spec.tcp_ports(role):
        word = re.sub(rf"(?<![\w.-])(?:localhost|127\.0\.0\.1):{port}(?!\d)", f"{ip}:{port}", word)
    return word


def _too_slow(target: Target, what: Obj, timeout_s: float) -> str:
    if "exec" in what:
        return f'command timed out: "{" ".join(what["exec"].get("command") or ())}" timed out after {timeout_s:g}s'
    if "grpc" in what:
        place = f"{target.ip}:{what['grpc']['port']}"
        return f'timeout: failed to connect service "{place}" within {timeout_s:g}s: context deadline exceeded'
    kind = "httpGet" if "httpGet" in what else "tcpSocket"
    host = (what.get(kind) or {}).get("host") or target.ip
    port = spec.port_number(target.role, (what.get(kind) or {}).get("port"))
    if kind == "tcpSocket":
        return f"dial tcp {host}:{port}: i/o timeout"
    get = what["httpGet"]
    url = f"{(get.get('scheme') or 'HTTP').lower()}://{host}:{port}{get.get('path') or '/'}"
    return f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
