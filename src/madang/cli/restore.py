"""`madang restore`: a backup becomes a running courtyard again, here or elsewhere.

The file is unpacked and checked beside the courtyard first. Only then is the present one stopped, and the two change
places in one step; it is kept until the new one is up, and comes back by itself where that does not start.
"""

import asyncio
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from madang.cli import courtyards, down
from madang.cli.backup import explained
from madang.cli.courtyards import Courtyard
from madang.cli.options import DEFAULT, Name
from madang.cli.refusal import Refusal
from madang.cli.screen import plain, say

if TYPE_CHECKING:
    from madang.courtyard.backup.putting import Fresh

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Replace what the courtyard holds now, without asking.")]


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `madang backup` made.")],
    name: Name = DEFAULT,
    yes: Yes = False,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds until all must be ready.")] = 120,
) -> None:
    """Put a backup back, and start it: everything is as it was when it was taken.

    With another --name, or on another machine, it becomes a courtyard of its own: addresses and ports that somebody
    else has there differ. A file that is damaged, or is none, changes nothing.

    Example: `madang restore shop.tar.gz --name staging`
    """
    from madang.courtyard.backup import putting
    from madang.courtyard.backup.manifest import Wrong

    court = courtyards.find(name)
    if not file.is_file():
        raise Refusal(f"{file}: there is no such file", code=2)
    agreed(court, yes)
    begun = time.monotonic()
    try:
        with putting.fresh(file, court.home) as one:
            say(plain(f"{file.name}: {one.manifest.name}, taken {one.manifest.taken_at}; all of it is well"))
            was_running = courtyards.find(name).runs
            aside = take_place(court, one, was_running)
    except Wrong as error:
        raise Refusal(f"{file} {error}; nothing was changed") from error
    except OSError as error:
        raise Refusal(f"nothing was changed: {explained(error, court.home)}") from error
    court = come_up(court, aside, was_running)
    ready = asyncio.run(wait(court, timeout))
    told(court, one, ready, aside, time.monotonic() - begun)
    sys.exit(0 if ready else 1)


def agreed(court: Courtyard, yes: bool) -> None:
    if yes or not (court.home / "state.db").exists():
        return
    if not sys.stdin.isatty():
        raise Refusal(
            f"the courtyard {court.name!r} holds objects and volumes, which would be replaced: say --yes if they may, "
            "or give another --name",
            code=2,
        )
    if not typer.confirm(f"Replace all that the courtyard {court.name!r} holds now?"):
        raise Refusal("nothing was changed")


def take_place(court: Courtyard, one: "Fresh", was_running: bool) -> Path | None:
    """Stops the present one, keeps it aside. Where that fails (a full disk, say) it is started again."""
    from madang.courtyard import record
    from madang.courtyard.backup import putting

    present = courtyards.find(court.name)
    if not present.home.exists():
        return putting.swap(one)
    down.stop(present, 120)
    try:
        lock = record.hold(present.home)
    except record.Taken:
        raise Refusal(f"the courtyard {court.name!r} is being started by somebody else; nothing was changed") from None
    try:
        try:
            return putting.swap(one)
        finally:
            os.close(lock)
    except OSError:
        if was_running:
            courtyards.wake(courtyards.find(court.name), []).ready()
        raise


def come_up(court: Courtyard, aside: Path | None, was_running: bool) -> Courtyard:
    """The new one's control process; where it cannot start, the one before has its place again."""
    from madang.courtyard.backup import putting

    try:
        return courtyards.wake(courtyards.find(court.name), []).ready()
    except Refusal as refusal:
        if aside is None:
            raise
        putting.swap_back(court.home, aside)
        if was_running:
            courtyards.wake(courtyards.find(court.name), []).ready()
        raise Refusal(f"{refusal.message}\nthe courtyard is as it was before") from refusal


async def wait(court: Courtyard, timeout_s: float) -> bool:
    """Until every Deployment has what it wants."""
    from madang.cli.house import remote

    wanting: dict[tuple[str, str], bool] = {}
    async with remote(court) as api:
        page = await api.list("deployments.apps")
        wanting = {entry.key[1:]: not satisfied(entry.obj) for entry in page.entries}
        try:
            async with asyncio.timeout(timeout_s):
                if any(wanting.values()):
                    async for change in api.watch("deployments.apps"):
                        if change.type != "BOOKMARK":
                            gone = change.type == "DELETED"
                            wanting[change.entry.key[1:]] = not gone and not satisfied(change.entry.obj)
                        if not any(wanting.values()):
                            break
        except TimeoutError:
            return False
    return True


def satisfied(deployment: dict[str, object]) -> bool:
    spec, status = deployment["spec"], deployment.get("status") or {}
    assert isinstance(spec, dict) and isinstance(status, dict)
    meta = deployment["metadata"]
    assert isinstance(meta, dict)
    seen = status.get("observedGeneration", 0) >= meta.get("generation", 0)
    return bool(seen and status.get("availableReplicas", 0) >= spec.get("replicas", 1))


def told(court: Courtyard, one: "Fresh", ready: bool, aside: Path | None, seconds: float) -> None:
    from madang.courtyard.backup.moving import missing
    from madang.courtyard.removal import remove

    for path in one.manifest.outside:
        if not Path(path).exists():
            say(plain(f"was not in the backup, and is not here: {path}"))
    programs = (court.home / "images" / "programs").glob("*.json")
    for image, folder in missing(path.read_bytes() for path in programs).items():
        say(plain(f"{image} needs {folder}, which is not here: bring its source, then `madang up` that"))
    for key, address in court.record["addresses"].items():
        say(f"  {key:<12} {address}")
    say(f"  {'kubeconfig':<12} {court.kubeconfig}")
    if ready:
        if aside is not None:
            with suppress(OSError):
                remove(aside)
        say(f"[green]restored[/] and ready after {seconds:.1f} s")
        return
    say(f"[red]restored, and not all is ready[/] after {seconds:.1f} s: look with `madang status`")
    if aside is not None:
        say(plain(f"what was here before is kept in {aside}"))
