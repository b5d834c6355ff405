"""HAProxy's runtime socket: commands in, answers out.

In: a path and command lines. Out: one answer a line, as text; `Refused` where HAProxy says no, `Silent` where it
does not answer in time. One connection a batch, prompted, so that each answer belongs to its command.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

PROMPT = b"\n> "
LONGEST_PATH = 100  # sun_path holds 108 bytes
ANSWER_S = 5.0
FINE = ("", "New server registered.", "Server deleted.")


class Refused(Exception):
    """HAProxy did not do it; `answer` is what it said."""

    def __init__(self, command: str, answer: str) -> None:
        super().__init__(f"{command}: {answer}")
        self.answer = answer


class Silent(Exception):
    """Nobody answers at the runtime socket."""


async def connect(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Also where the path is longer than a socket's address may be."""
    if len(str(path)) <= LONGEST_PATH:
        return await asyncio.open_unix_connection(path, limit=16 * 1024 * 1024)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        return await asyncio.open_unix_connection(f"/proc/self/fd/{folder}/{path.name}", limit=16 * 1024 * 1024)
    finally:
        os.close(folder)


class Session:
    """One prompted conversation."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, command: str) -> str:
        self._writer.write(command.encode() + b"\n")
        try:
            answer = await asyncio.wait_for(self._reader.readuntil(PROMPT), ANSWER_S)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            raise Silent(f"no answer to {command.split(' ')[0]!r}: {error!r}") from error
        return answer[: -len(PROMPT)].decode("utf-8", "replace").strip()

    async def tell(self, command: str) -> None:
        """A command that changes something: any answer but a known good one is a refusal."""
        answer = await self.ask(command)
        if not all(line.strip() in FINE for line in answer.splitlines()):
            raise Refused(command, answer)


@contextlib.asynccontextmanager
async def session(path: Path, patience_s: float = ANSWER_S) -> AsyncIterator[Session]:
    """`patience_s`: a new worker answers once it serves, so the first answer may take that long."""
    try:
        reader, writer = await connect(path)
    except OSError as error:
        raise Silent(f"{path}: {error}") from error
    try:
        writer.write(b"prompt\n")
        try:
            await asyncio.wait_for(reader.readuntil(PROMPT), patience_s)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            raise Silent(f"{path}: {error!r}") from error
        yield Session(reader, writer)
    finally:
        writer.close()


async def ask(path: Path, commands: Sequence[str]) -> list[str]:
    async with session(path) as talk:
        return [await talk.ask(c) for c in commands]
