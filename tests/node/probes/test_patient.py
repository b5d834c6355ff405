"""Probes wait while their pod stands still, and what failed because of it is asked again."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from madang.node.probes.handler import Target
from madang.node.probes.patient import PatientHandler, Pauses
from madang.node.probes.result import Result

TARGET = cast("Target", SimpleNamespace(launch=SimpleNamespace(folder=Path("/home/pods/uid/containers/main/0"))))


class Answers:
    """Fails as long as the pod stands still."""

    def __init__(self, pauses: Pauses) -> None:
        self.pauses, self.asked = pauses, 0
        self.meanwhile = lambda: None

    async def ask(self, target: Target, what: Any, timeout_s: float) -> Result:
        self.asked += 1
        self.meanwhile()
        return Result(not self.pauses.holds("uid"), "too slow")


def test_it_waits_and_asks_again() -> None:
    async def run() -> None:
        pauses = Pauses()
        answers = Answers(pauses)
        handler = PatientHandler(answers, pauses)
        assert (await handler.ask(TARGET, {}, 1.0)).ok and answers.asked == 1
        answers.meanwhile = lambda: pauses.begin(["uid"]) if answers.asked == 2 else None  # while it is being asked
        asking = asyncio.create_task(handler.ask(TARGET, {}, 1.0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert answers.asked == 2 and not asking.done()
        pauses.end()
        assert (await asking).ok and answers.asked == 3

    asyncio.run(run())


def test_a_real_failure_is_told_at_once() -> None:
    async def run() -> None:
        pauses = Pauses()
        answers = Answers(pauses)
        pauses.begin(["another"])
        answers.pauses = cast("Pauses", SimpleNamespace(holds=lambda uid: True))
        assert not (await PatientHandler(answers, pauses).ask(TARGET, {}, 1.0)).ok and answers.asked == 1

    asyncio.run(run())
