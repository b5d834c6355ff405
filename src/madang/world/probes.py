"""Probes of make-believe programs: the port `Handler`.

In: what is asked of whom. Out: a `Result`: a program answers once it listens, unless it hangs or lies. Commands go the
house's own way, through the runtime.
"""

import random
from collections import Counter

from madang.node.probes.handler import SystemHandler, Target
from madang.node.probes.result import Result
from madang.ports.objects import Obj
from madang.world.clock import WorldClock
from madang.world.machine import Machine


class Probes:
    def __init__(self, machine: Machine, clock: WorldClock, chance: random.Random, tally: Counter[str]) -> None:
        self._machine, self._clock, self._chance, self._tally = machine, clock, chance, tally
        self._system = SystemHandler()

    async def ask(self, target: Target, what: Obj, timeout_s: float) -> Result:
        program = self._machine.by_pid(target.running.pid)
        if "exec" in what:
            self._tally["program lies"] += program is not None and program.lies and program.alive
            return await self._system.ask(target, what, timeout_s)
        if program is not None and program.alive and (program.hung or program.stuck):
            await self._clock.sleep(timeout_s)
            return Result(False, "timed out")
        await self._clock.sleep(0.0005 + 0.002 * self._chance.random())
        if program is not None and program.lies and program.alive:
            self._tally["program lies"] += 1
            return Result(False, "HTTP probe failed with statuscode: 503")
        if program is None or not self._machine.listens(program):
            return Result(False, "connection refused")
        return Result(True)
