"""What `madang up` does after all is ready: the logs of every instance as they come, and sources watched if asked.

Instances come and go while one looks: the pods are watched, and each new container is followed from its start; of one
that has run for longer, what it says since this `up` began. It ends when the courtyard does.
"""

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING

from madang.cli import following
from madang.cli.courtyards import Courtyard
from madang.cli.house import remote
from madang.cli.logs import COLOURS, one
from madang.ports.objects import Obj

if TYPE_CHECKING:
    from madang.app import Application


async def follow(court: Courtyard, application: "Application | None", watch: bool, since: str) -> None:
    """Until the courtyard's control process ends, by whomever. `since`: no line from before (RFC 3339)."""
    ends = asyncio.ensure_future(ended(int(court.record["pid"])))
    shows = asyncio.ensure_future(show(court, application, watch, since))
    await asyncio.wait({ends, shows}, return_when=asyncio.FIRST_COMPLETED)
    if not ends.done():
        await shows  # it does not end by itself: whatever broke it is told
    shows.cancel()
    await asyncio.wait({shows})


async def ended(pid: int) -> None:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(process, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(process)
        os.close(process)


async def show(court: Courtyard, application: "Application | None", watch: bool, since: str) -> None:
    if application is None:
        await asyncio.Event().wait()
        return
    names: dict[str, int] = {}  # of the services, so that an instance that follows another has its colour
    namespace = application.namespace
    async with remote(court) as api, asyncio.TaskGroup() as tasks:
        if watch:
            from madang import app
            from madang.cli.planting import Planting

            tasks.create_task(app.keep_fresh(api, application, court.home, partial(print, flush=True), Planting(court)))

        async def read(pod: Obj, container: str, early: bool) -> None:
            number = names.setdefault(container, len(names))
            label = f"\033[{COLOURS[number % len(COLOURS)]}m{pod['metadata']['name']} |\033[0m "
            await one(api, namespace, pod, container, label, follow=True, since=since)

        tasks.create_task(following.follow(api, namespace, read))
