"""TLS outside Python: a small HAProxy that takes TLS off and hands the bytes to the outer door's unix socket.

Why: TLS inside asyncio costs a third of the requests. Measured with wrk over TLS, 32 connections, an answer of 1.5 kB
made by nothing, two busy cores: HAProxy before uvicorn 12.8 to 20.9 thousand a second, Granian with its own TLS 17.0
to 23.6. HAProxy is taken all the same: it is here already, it is a process of its own (a handshake delays no probe),
and since in TCP mode it only moves bytes, watches, exec and WebSockets pass untouched; Granian cannot be handed a
listening socket, nor run beside a unix socket on somebody else's loop. It is never reloaded (a new certificate goes
in through its own socket), so that connections live on. It binds nothing itself: the listening socket is ours and
handed down, so that a restarted HAProxy finds the same port and waiting clients.
In: certificate, listening socket, unix socket. Out: a supervised child process.
"""

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from madang.haproxy.admin import connect
from madang.haproxy.quoting import command, word

log = logging.getLogger("madang.wire")
MAX_CONNECTIONS = 2000
FASTEST_RESTART_S, SLOWEST_RESTART_S = 0.05, 5.0
LEAVING_S = 0.5
_PR_SET_PDEATHSIG = 1


def configuration(fds: Sequence[int], certificate: Path, backend: str, control: str) -> str:
    """One connection in is one connection out; an idle watch may be silent for a day. The sockets as seen from where
    HAProxy runs: it takes a path of 97 bytes at most."""
    binds = "\n".join(f"    bind fd@{fd} ssl crt {word(str(certificate))} alpn http/1.1" for fd in fds)
    return f"""global
    maxconn {MAX_CONNECTIONS}
    nbthread 1
    tune.ssl.default-dh-param 2048
    tune.ssl.cachesize 256
    tune.bufsize 32768
    ssl-default-bind-options ssl-min-ver TLSv1.2
    stats socket {word(f"unix@{control}")} mode 600 level admin
defaults
    mode tcp
    timeout connect 5s
    timeout client 24h
    timeout server 24h
    option clitcpka
    option tcp-smart-accept
frontend api
{binds}
    default_backend door
backend door
    server door {word(f"unix@{backend}")}
"""


class Front:
    """Use as a context manager inside a running loop."""

    def __init__(
        self, binary: Path, listening: Sequence[socket.socket], certificate: Path, backend: Path, run: Path
    ) -> None:
        self._binary = binary
        self._listening = listening
        self._certificate = certificate.absolute()
        self._backend = os.path.relpath(backend, run)
        self._run = run
        self._control = run / "tls.sock"
        self._config = run.absolute() / "tls.cfg"
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Front":
        fds = [sock.fileno() for sock in self._listening]
        text = configuration(fds, self._certificate, self._backend, self._control.name)
        self._config.write_text(text)
        await self._start()
        self._watching = asyncio.create_task(self._watch())
        return self

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def control(self) -> Path:
        return self._control

    async def __aexit__(self, *_: object) -> None:
        assert self._watching is not None
        self._watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watching
        await self._stop()
        for path in (self._control, self._config):
            path.unlink(missing_ok=True)

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            self._binary,
            "-db",
            "-q",
            "-f",
            str(self._config),
            cwd=self._run,
            pass_fds=[sock.fileno() for sock in self._listening],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_dies_with_parent(),
        )

    async def _stop(self) -> None:
        """Softly first, so that what was handed over still goes out."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGUSR1)
        try:
            await asyncio.wait_for(process.wait(), LEAVING_S)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _watch(self) -> None:
        """A dead HAProxy is started again, later each time if it keeps dying; its listening socket has kept the
        waiting clients."""
        loop, wait = asyncio.get_running_loop(), FASTEST_RESTART_S
        while True:
            assert self._process is not None
            began = loop.time()
            code = await self._process.wait()
            wait = FASTEST_RESTART_S if loop.time() - began > SLOWEST_RESTART_S else wait
            log.warning("the API's TLS front ended with %s: starting it again", code)
            await asyncio.sleep(wait)
            wait = min(wait * 2, SLOWEST_RESTART_S)
            try:
                await self._start()
            except OSError as error:  # the program is being replaced, or no process is to be had
                log.warning("the API's TLS front could not be started: %s", error)

    async def renew(self) -> None:
        """Serve what now stands in the certificate's file; connections that stand go on."""
        pem = self._certificate.read_text().strip()
        name = command(str(self._certificate))
        for line in (f"set ssl cert {name} <<\n{pem}\n\n", f"commit ssl cert {name}\n"):
            reader, writer = await connect(self._control)
            writer.write(line.encode())
            await writer.drain()
            reply = (await reader.read()).decode()
            writer.close()
            if "Success" not in reply and "Transaction" not in reply:
                log.error("the API's new certificate was not taken: %s", reply.strip())


def _dies_with_parent() -> Callable[[], None] | None:
    """If we are killed the child goes too: without us it has nobody to hand bytes to."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return arrange
