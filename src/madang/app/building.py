"""What must be there before an application's pods can start: environments made, programs saved, volumes owned.

In: an `Application`. Out: programs and volumes in the courtyard's home. Environments are made for all services at once;
every failure is told, not the first.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from madang.app.application import Application, ApplicationError
from madang.app.images import found as servers
from madang.app.programs.environment import BuildError
from madang.app.programs.make import Build, make
from madang.ports.program import save

Say = Callable[[str, str], None]


async def build(application: Application, home: Path, say: Say, rebuild: bool = False) -> None:
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


def prepare(application: Application) -> None:
    """What takes no time: servers found on this machine become known, new volumes belong to who will write them."""
    for found in application.found:
        servers.prepare(found)
        save(application.options.home, found.program)
    for volume in application.volumes:
        if not volume.path.exists():
            volume.path.mkdir(parents=True)
            if os.geteuid() == 0:
                os.chown(volume.path, volume.uid, volume.gid)
