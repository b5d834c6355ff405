"""`madang up`: from files to a running application: wake the courtyard, read, build, apply, watch until ready.

The control process is woken first, and the files are read while it starts.
"""

import asyncio
import contextlib
import os
import socket
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from madang.cli import courtyards
from madang.cli.courtyards import Courtyard
from madang.cli.options import DEFAULT, Name, Output, one_of
from madang.cli.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from madang.app import Application
    from madang.app.choice import Runtimes
    from madang.cli.bringing import Bringing
    from madang.cli.choosing import Choosing


RUNTIME = (
    "container or host: how the services run, from now on (container fetches the images that are lacking); auto: "
    "chosen anew, in containers where their images are here."
)


def own_address(listen: str) -> str:
    """Refused unless this machine can open a port there."""
    try:
        if listen:
            socket.create_server((listen, 0)).close()
    except OSError as error:
        raise Refusal(
            f"--listen {listen}: expected an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them "
            f"({error.strerror or error})",
            code=2,
        ) from error
    return listen


Paths = Annotated[
    list[Path] | None, typer.Argument(metavar="PATH", help="A Compose file, a manifest, or a folder of either.")
]

Environment = Annotated[
    str, typer.Option("--env", help="An environment: takes compose.ENV.yaml and .env.ENV over the base file.")
]
Network = Annotated[
    str,
    typer.Option(
        "--network", callback=one_of("--network", "bridge", "loopback"), help="bridge or loopback; default: what works."
    ),
]


def up(
    paths: Paths = None,
    name: Name = DEFAULT,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once all is ready.")] = False,
    files: Annotated[list[Path] | None, typer.Option("--file", "-f", help="Compose files, later over earlier.")] = None,
    profiles: Annotated[list[str] | None, typer.Option("--profile", help="Compose profiles to include.")] = None,
    env_files: Annotated[list[Path] | None, typer.Option("--env-file", help="Instead of .env.")] = None,
    env: Environment = "",
    build: Annotated[bool, typer.Option("--build", help="Make environments and images anew.")] = False,
    nodes: Annotated[
        int | None, typer.Option("--nodes", min=1, max=100, help="Divide the machine into N nodes.")
    ] = None,
    runtime: Annotated[
        str, typer.Option("--runtime", callback=one_of("--runtime", "auto", "container", "host"), help=RUNTIME)
    ] = "",
    network: Network = "",
    listen: Annotated[
        str, typer.Option("--listen", callback=own_address, help="Where published ports are opened.")
    ] = "",
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds until all must be ready, once built.")] = 120,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", help="Follow the sources: make anew what a change belongs to, or do what develop.watch says."
        ),
    ] = False,
    allow_other_versions: Annotated[
        bool, typer.Option("--allow-other-versions", help="Accept another version of a server found on this machine.")
    ] = False,
    output: Output = "",
) -> None:
    """Start the courtyard if need be, apply the application found at PATH, and show its progress until all is ready.

    In the foreground it then follows the logs, and Ctrl-C stops everything. With --detach it returns: exit code 1
    and the reasons if something is not ready in time.

    Example: `madang up examples/shop --detach`
    """
    begun = time.monotonic()
    court = courtyards.find(name)
    of_all = "auto" if runtime in ("auto", "container") else ""  # one of former times may be host's alone
    arguments = daemon_arguments(nodes=nodes, runtime=of_all, network=network, listen=listen)
    orphaned = not court.runs and courtyards.left_running(court)
    waking = None if court.runs else courtyards.wake(court, arguments)
    if court.runs:
        settled(court, nodes, of_all, network, listen)
    choosing = asked_of(court, waking, runtime, build)
    try:
        application = read(
            paths or [], files or [], profiles or [], env_files or [], court, allow_other_versions, choosing, env
        )
    except Refusal:
        if waking is not None and not orphaned:  # a wrong file starts nothing, and stops nothing that ran
            undo(choosing.awake)
        raise
    bringing = prepared(application, choosing, watch, begun=begun, timeout_s=timeout, rebuild=build, output=output)
    if detach:
        sys.exit(0 if asyncio.run(bringing.bring()) else 1)
    foreground(bringing, watch)


def asked_of(court: Courtyard, waking: courtyards.Waking | None, runtime: str, rebuild: bool) -> "Choosing":
    from madang.cli.choosing import Choosing

    return Choosing(court.home, runtime, once(waking.ready if waking else lambda: court), rebuild)


def once(ready: "Callable[[], Courtyard]") -> "Callable[[], Courtyard]":
    """The courtyard, waited for at most once; why it could not start is said again."""
    known: list[Courtyard | Refusal] = []

    def awake() -> Courtyard:
        if not known:
            try:
                known.append(ready())
            except Refusal as refusal:
                known.append(refusal)
        if isinstance(known[0], Refusal):
            raise known[0]
        return known[0]

    return awake


def prepared(application: "Application | None", choosing: "Choosing", watch: bool, **given: Any) -> "Bringing":
    """All that is needed once the courtyard runs, loaded while it starts."""
    from madang.cli.bringing import Bringing, load

    load()
    court = choosing.awake()
    if application is not None and (application.images or watch):
        own_mounts()
    return Bringing(court, application, choosing=choosing, **given)


def daemon_arguments(**given: Any) -> list[str]:
    return [word for key, value in given.items() if value for word in (f"--{key}", str(value))]


def settled(court: Courtyard, nodes: int | None, runtime: str, network: str, listen: str) -> None:
    """What is decided at start cannot change while it runs: say so instead of ignoring it."""
    was = court.record.get("settings", {})
    asked = {"nodes": nodes, "runtime": runtime, "network": network, "listen": listen}
    for key, value in asked.items():
        if value and was.get(key) != value:
            raise Refusal(
                f"the courtyard {court.name!r} runs with --{key} {was.get(key)}; for --{key} {value} stop it first "
                f"(`madang down --name {court.name}`) or give another --name"
            )
    mended(court)


def mended(court: Courtyard) -> None:
    """A courtyard that lives in namespaces of its own has a process outside; only who is outside can start it anew."""
    if (court.home / "run" / "inside").exists():
        from madang.courtyard import entering

        entering.mend(court.home)


def own_mounts() -> None:
    """Layers are mounted where an image is built: out of sight of everybody else, and before there is a thread."""
    if os.geteuid() == 0:
        from madang.node.building import overlay

        overlay.own_mounts()


def undo(awake: "Callable[[], Courtyard]") -> None:
    """Stops a courtyard that this command woke in vain."""
    from madang.cli.down import stop

    stop(awake(), 30)


def read(
    paths: list[Path],
    files: list[Path],
    profiles: list[str],
    env_files: list[Path],
    court: Courtyard,
    versions: bool,
    runtimes: "Runtimes | None" = None,
    environment: str = "",
) -> "Application | None":
    """The application that the files describe; None where nothing was named and nothing is here."""
    from madang import app

    options = app.LoadOptions(
        files=tuple(files),
        profiles=tuple(profiles),
        env_files=tuple(env_files),
        home=court.home,
        allow_other_versions=versions,
        runtimes=runtimes or app.HostAlone(),
        environment=environment,
        runtime=runtimes.given if runtimes is not None else "",
    )
    if not paths and not files and not app.found_in(Path.cwd()):
        if environment:
            raise Refusal(f"--env {environment}: there is no application in {Path.cwd()}; give its PATH", code=2)
        if env_files:
            raise Refusal(f"--env-file {env_files[0]}: there is no application in {Path.cwd()}; give its PATH", code=2)
        return None
    try:
        return app.load([packaged(path) for path in paths] or [Path.cwd()], options)
    except app.ApplicationError as error:
        raise Refusal("\n".join(error.messages), code=2) from error


def packaged(path: Path) -> Path:
    """`examples/shop` works everywhere: the package brings its examples along, and a clone has them beside it."""
    if not path.exists() and path.parts[:1] == ("examples",):
        import madang

        package = Path(madang.__file__).parent
        for brought in (package / path, package.parents[1] / path):
            if brought.exists():
                return brought
    return path


def foreground(bringing: "Bringing", watch: bool) -> None:
    """Until Ctrl-C, which stops everything, also while something is still starting."""
    try:
        asyncio.run(bringing.bring())
    except KeyboardInterrupt:
        end(bringing.court)
        raise
    stay(bringing.court, bringing.application, watch, began(bringing.begun))


def began(begun: float) -> str:
    """The time of the day at which a command began, by the monotonic clock's account (RFC 3339)."""
    return (datetime.now(UTC) - timedelta(seconds=time.monotonic() - begun)).isoformat()


def stay(court: Courtyard, application: "Application | None", watch: bool, since: str) -> None:
    """The foreground: logs until Ctrl-C, which stops everything."""
    from madang.cli.foreground import follow
    from madang.cli.screen import say

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(follow(court, application, watch, since))
        say(f"the courtyard {court.name!r} has stopped")
        return
    end(court)


def end(court: Courtyard) -> None:
    """Ctrl-C in the foreground, at whatever moment."""
    from madang.cli.down import stop
    from madang.cli.screen import say

    say("\nstopping everything (Ctrl-C again: do not wait for it)")
    stop(courtyards.find(court.name), 120)
    say(f"the courtyard {court.name!r} is down")
