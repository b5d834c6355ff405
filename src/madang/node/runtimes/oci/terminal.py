"""A session with a terminal that lies in the container: its outer end comes from there, and everything else follows.

In: a request for the zygote. Out: a `Session` whose bytes are the terminal's.
"""

import os
from typing import Any

from madang.node.runtimes.session import Session
from madang.node.runtimes.zygote import Zygote, receive_with


class TerminalSession(Session):
    def __init__(self) -> None:
        super().__init__({}, None, True)

    async def begin(self, zygote: Zygote, request: Any, inner: list[int]) -> None:
        try:
            self._socket = await zygote.open(request, inner)
        finally:
            for fd in set(inner):
                os.close(fd)
        answer, terminal = await receive_with(self._socket)
        if terminal >= 0:
            os.set_blocking(terminal, False)
            self._outputs, self._stdin = {1: terminal}, terminal
        await self._told(answer)
