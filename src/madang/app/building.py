"""What must be there before an application's pods can start: environments made, programs saved.

In: an `Application`. Out: programs in the courtyard's home. All services at once; every failure is told, not the first.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from madang.app.application import Application, ApplicationError
from madang.app.images.table import make_data_folder
from madang.app.programs.environment import BuildError
from madang.app.programs.make import Build, make
from madang.ports.program import save

Say = Callable[[str, str], None]


async def build(application: Application, home: Path, say: Say, rebuild: bool = False) -> None:
    for found in application.found:
        await asyncio.to_thread(make_data_folder, found)
        save(home, found.program)
    faults: list[str] = []

    async def one(build: Build) -> None:
        try:
            await make(build, home, lambda line: say(build.service, line), rebuild)
        except BuildError as error:
            faults.append(f"{build.service}: {error}")

    async with asyncio.TaskGroup() as tasks:
        for each in application.builds:
            tasks.create_task(one(each))
    if faults:
        raise ApplicationError(faults)
