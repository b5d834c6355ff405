"""The life of the control process, from its command line to its end.

In: its command line, and signals: SIGTERM and SIGINT stop everything, SIGUSR1 ends the control alone. Out: one line
of JSON on `--ready-fd` once it is ready, or why it is not; the log on standard error.
"""

import asyncio
import contextlib
import errno
import logging
import signal
import sys
from pathlib import Path

import uvloop

from madang.courtyard import entering, record, waiting
from madang.courtyard.arguments import Arguments, parse
from madang.courtyard.house import House
from madang.node.runtimes.runtime import Ability
from madang.node.runtimes.zygote import Zygote

log = logging.getLogger("madang")
# The loop's thread gives Python away at every call that may wait, and others (writing, netns) hold it for up to this
# long before it comes back: five milliseconds by default, many times for one pod.
SWITCH_S = 0.0005


def main(zygote: Zygote) -> int:
    arguments = parse(sys.argv[1:])
    if arguments.told_fd >= 0:
        words = waiting.told(arguments.told_fd)
        if words is None:
            return 0
        arguments = parse(words)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("httpx", "httpcore", "uvicorn", "websockets"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        record.hold(arguments.home, arguments.lock_fd)
    except record.Taken:
        record.tell(arguments.ready_fd, running=True)
        return 0
    except OSError as error:
        record.tell(arguments.ready_fd, error=f"{arguments.home}: {error.strerror}")
        return 1
    stand = entering.enter(arguments.home, arguments.network)  # before there is a second thread
    with contextlib.suppress(OSError):
        zygote.ready()
    sys.setswitchinterval(SWITCH_S)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(live(arguments, zygote, stand))


async def live(arguments: Arguments, zygote: Zygote, stand: Ability | None = None) -> int:
    told: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number, word in ((signal.SIGTERM, "stop"), (signal.SIGINT, "stop"), (signal.SIGUSR1, "leave")):
        loop.add_signal_handler(number, told.put_nowait, word)
    house = House(arguments, zygote, stand)
    try:
        await house.start()
    except Exception as error:
        log.exception("could not start")
        await abandon(house)
        record.tell(arguments.ready_fd, error=explained(error, arguments.home))
        return 1
    log.info("ready: %s", house.door.url)
    record.tell(arguments.ready_fd, ready=True, notes=house.notes)
    if arguments.then_stop:
        told.put_nowait("stop")
    word = await first(told, house)
    log.info("told to %s", word)
    await (house.leave() if word == "leave" else house.stop())
    log.info("down")
    return 0


def explained(error: BaseException, home: Path) -> str:
    """A sentence, never an errno in brackets."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"{error.filename or home}: the disk is full: free space on its file system, then start again"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


async def abandon(house: House) -> None:
    try:
        await house.give_up()
    except Exception:
        log.exception("something may be left of the start that failed")


async def first(told: "asyncio.Queue[str]", house: House) -> str:
    """The first word, or `leave` where a room broke: what runs goes on, and the next start takes it over."""
    asked, broke = asyncio.create_task(told.get()), asyncio.create_task(house.broken.wait())
    done, pending = await asyncio.wait((asked, broke), return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return asked.result() if asked in done else "leave"
