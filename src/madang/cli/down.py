"""`madang down`: stops everything, in order, and leaves nothing behind."""

import contextlib
import os
import select
import signal
import time
from typing import Annotated

import typer

from madang.cli import courtyards
from madang.cli.options import DEFAULT, Name
from madang.cli.refusal import Refusal
from madang.cli.screen import say


def down(
    name: Name = DEFAULT,
    purge: Annotated[bool, typer.Option("--purge", help="Also forget the state: objects, volumes, logs.")] = False,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds to wait for the services to stop.")] = 120,
) -> None:
    """Stop everything, cleanly and in order: no process, socket, mount, namespace or address is left.

    The state stays (the next `up` goes on with it) unless `--purge` is given.

    Example: `madang down --name staging --purge`
    """
    court = courtyards.find(name)
    if not court.home.exists():
        say(f"the courtyard {name!r} does not exist; nothing to stop")
        return
    stop(court, timeout)
    if purge:
        forget(court)
    say(f"the courtyard {name!r} is down" + (" and forgotten" if purge else ""))


def stop(court: courtyards.Courtyard, timeout_s: float) -> None:
    if not court.runs and courtyards.being_started(court):
        court = settle(court, timeout_s)
    if not court.runs:
        if not courtyards.left_running(court):
            return
        # its control process is dead but workloads may live on: wake it to take them over and stop them
        court = courtyards.wake(court, ["--then-stop"]).ready()
        if not court.runs:
            settle(court, timeout_s)
            return
    pid = int(court.record["pid"])
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        os.kill(pid, signal.SIGTERM)
        wait(watched, pid, timeout_s, court)
    finally:
        os.close(watched)


def settle(court: courtyards.Courtyard, seconds: float) -> courtyards.Courtyard:
    """Until a start that is under way has come to its end, or a `down`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = courtyards.find(court.name)
        if found.runs or not courtyards.being_started(found):
            return found
        time.sleep(0.02)
    raise Refusal(
        f"the courtyard {court.name!r} is being started or stopped by somebody else, and was neither ready nor down "
        f"after {seconds:.0f} s"
    )


def wait(pidfd: int, pid: int, timeout_s: float, court: courtyards.Courtyard) -> None:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return
    raise Refusal(f"still stopping after {timeout_s:.0f} s (pid {pid}); its log: {court.log}")


def forget(court: courtyards.Courtyard) -> None:
    """Removes the state folder; what other users' programs wrote into volumes goes too, where we may."""
    from madang.courtyard import record
    from madang.courtyard.backup.putting import kept
    from madang.courtyard.removal import remove

    try:
        lock = record.hold(court.home)
    except record.Taken:
        raise Refusal(f"the courtyard {court.name!r} is being started again: its state stays") from None
    try:
        # Away at once, so that whoever starts it anew meanwhile finds nothing half removed.
        gone = court.home.with_name(f".{court.name}.gone-{os.getpid()}")
        with contextlib.suppress(OSError):
            court.home.rename(gone)
        for folder in (gone if gone.exists() else court.home, *kept(court.home)):
            remove(folder)
    except OSError as error:
        raise Refusal(f"the state of {court.name!r} could not be removed wholly: {error}") from error
    finally:
        os.close(lock)
