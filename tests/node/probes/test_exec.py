"""What a health command says is told as it is, as a kubelet tells it."""

import asyncio
from typing import Any, cast

import pytest

from madang.node.probes import handler
from madang.node.probes.handler import Target


class Ended:
    def __init__(self, code: int, output: bytes) -> None:
        self.code, self.pieces = code, [(1, output)] if output else []

    async def read(self) -> tuple[int, bytes] | None:
        return self.pieces.pop() if self.pieces else None

    async def wait(self) -> int:
        return self.code

    async def close(self) -> None: ...


@pytest.mark.parametrize(
    ("code", "output", "message"),
    [
        (0, b"fine", ""),
        (2, b"no database\n", "no database\n"),
        (1, b"", ""),
    ],
)
def test_what_a_command_says(code: int, output: bytes, message: str) -> None:
    class Runtime:
        async def exec(self, *_: Any) -> Ended:
            return Ended(code, output)

    class Asked:
        runtime, ip, running, launch = Runtime(), "10.0.0.1", None, None
        role = type("Role", (), {"name": "a"})

        def command(self, words: Any) -> Any:
            return words

    result = asyncio.run(handler._exec(cast(Target, Asked()), ("check",)))
    assert (result.ok, result.message) == (code == 0, message)
