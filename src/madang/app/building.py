"""What must be there before an application's pods can start: environments made, images built, programs saved, volumes
owned.

In: an `Application`. Out: programs and volumes in the courtyard's home, images in its store. All services are made at
once; every failure is told, not the first.
"""

import asyncio
import os
from collections.abc import Awaitable
from pathlib import Path

from madang.app.application import Application, ApplicationError
from madang.app.choice import Impossible, Tell
from madang.app.images import found as servers
from madang.app.programs.environment import BuildError
from madang.app.programs.make import Build, make
from madang.ports.program import save


async def build(application: Application, home: Path, tell: Tell, rebuild: bool = False) -> None:
    faults: list[str] = []

    async def one(service: str, work: Awaitable[object]) -> None:
        try:
            await work
        except (BuildError, Impossible) as error:
            faults.append(f"{service}: {error}")

    def program(build: Build) -> Awaitable[object]:
        said = False

        def say(line: str) -> None:
            nonlocal said
            tell(build.service, line, step=not said)
            said = True

        return make(build, home, say, rebuild)

    async with asyncio.TaskGroup() as tasks:
        for each in application.builds:
            tasks.create_task(one(each.service, program(each)))
        for image in application.images:
            if rebuild or not image.here:
                tasks.create_task(one(image.service, image.make(tell, rebuild)))
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
