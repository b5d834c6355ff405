"""What becomes of a courtyard's claim when its network can be taken down, and when it cannot."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from madang.courtyard.arguments import Arguments
from madang.courtyard.house import House


class Network:
    def __init__(self, refuses: bool) -> None:
        self._refuses = refuses

    async def stop(self) -> None:
        if self._refuses:
            raise OSError(16, "busy")


class Claim:
    def __init__(self) -> None:
        self.became = ""

    def close(self) -> None:
        self.became = "kept"

    def release(self) -> None:
        self.became = "given back"


@pytest.mark.parametrize(("refuses", "became"), [(False, "given back"), (True, "kept")])
def test_a_claim_is_given_back_only_when_nothing_is_left(tmp_path: Path, refuses: bool, became: str) -> None:
    async def story() -> None:
        house: Any = House(Arguments("n", tmp_path))
        house._claim, house._network = Claim(), Network(refuses)
        with suppress(OSError):
            await house._take_down()
        house._release()
        assert house._claim.became == became

    asyncio.run(story())
