"""The middle of `madang up`: build, apply, and a live line a service until all is ready, or the reasons why not.

In: a running courtyard and an application. Out: whether all is ready; what a person or a script should know.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from madang.app.choice import told
from madang.cli import contained
from madang.cli.courtyards import Courtyard
from madang.cli.doors import Doors, doors, published
from madang.cli.house import remote
from madang.cli.refusal import Refusal
from madang.cli.screen import AS_JSON, console, plain, print_json, say, warn
from madang.ports.api import Api

if TYPE_CHECKING:
    from rich.table import Table

    from madang.app import Application, ServiceState
    from madang.cli.choosing import Choosing

# The gateway hears of an instance when `up` does: it is given a moment to have told HAProxy.
AGAIN_S, TRIES = 0.005, 400
KINDS = ("deployments.apps", "jobs.batch", "pods", "events", "services")


def load() -> None:
    """What is needed once the courtyard runs: whoever waits for it had better have it by then."""
    import psutil  # noqa: F401
    import rich.console  # noqa: F401

    from madang.api import remote  # noqa: F401
    from madang.gateway import callers, large  # noqa: F401
    from madang.web import keys  # noqa: F401
    from madang.wire import kubeconfig  # noqa: F401


@dataclass
class Bringing:
    court: Courtyard
    application: "Application | None"
    begun: float
    timeout_s: float
    rebuild: bool = False
    output: str = ""
    states: Sequence["ServiceState"] = ()
    doors: Doors = field(default_factory=Doors)
    in_vain: bool = False  # to wait longer
    choosing: "Choosing | None" = None  # keeps what was chosen
    contained: Sequence[str] = ()  # which services run in containers, and why
    lines: dict[str, str] = field(default_factory=dict)  # the last line of each service's build

    async def bring(self) -> bool:
        async with remote(self.court) as api:
            ready = await self.apply(api) if self.application else True
            await self.report(api, ready)
            return ready

    async def apply(self, api: Api) -> bool:
        from madang import app
        from madang.wire.kubeconfig import set_namespace

        application = self.application
        assert application is not None
        if application.taken and self.output != AS_JSON:
            say(plain(f"files: {application.taken}"))
        for warning in application.warnings:
            warn(warning)
        try:
            await self.build(application)
            applied = await app.apply(api, application)
        except app.ApplicationError as error:
            raise Refusal("\n".join(error.messages)) from error
        for warning in applied.warnings:
            warn(warning)
        if self.choosing is not None:
            self.choosing.keep(application.namespace, application.chosen)
        set_namespace(self.court.kubeconfig, application.namespace)
        if applied.removed and self.output != AS_JSON:
            say(f"removed: {', '.join(applied.removed)}")
        return await self.wait(api, application)

    async def build(self, application: "Application") -> None:
        from madang import app

        if not application.builds and not application.images:
            return
        if self.output == AS_JSON or not console().is_terminal:
            await app.build(application, self.court.home, self.told, rebuild=self.rebuild)
            return
        from rich.live import Live

        with Live(console=console(), refresh_per_second=8, transient=True) as live:

            def told(service: str, line: str, step: bool = False) -> None:
                self.told(service, line, step)
                live.update(self.building())

            await app.build(application, self.court.home, told, rebuild=self.rebuild)

    def told(self, service: str, line: str, step: bool = False) -> None:
        """Live, the newest line of each service is shown; elsewhere the steps as they begin."""
        if step and self.output != AS_JSON and not console().is_terminal:
            say(plain(f"{service}: {line}"))
        self.lines[service] = line

    def building(self) -> "Table":
        """A service whose image is there says so, while others are still being built."""
        states = {
            service: "built" if line.startswith("built in") else "building" for service, line in self.lines.items()
        }
        return grid([(service, states[service], line.removeprefix("built ")) for service, line in self.lines.items()])

    async def wait(self, api: Api, application: "Application") -> bool:
        """Until every service is ready and reachable, or waiting is in vain, or the time is over; wakes on changes, not
        on a clock. A port that somebody else has is no reason to wait, but all is not ready without it."""
        from madang import app

        seen = Seen(api, application.namespace)
        wanted = published(application.objects)
        deadline = time.monotonic() + self.timeout_s  # from here: environments take the time that they take
        begun_s = time.time() - (time.monotonic() - self.begun)
        live = self.live()
        with live:
            async with asyncio.TaskGroup() as tasks:
                watching = [tasks.create_task(seen.watch(kind)) for kind in KINDS]
                try:
                    while True:
                        deployments, jobs, pods, events, services = seen.lists()
                        self.states = app.progress(application.services, deployments, jobs, pods, events, time.time())
                        self.doors = doors(wanted, services, events)
                        live.update(self.table())
                        self.contained = told(application.chosen) or contained.told(app.grouped(pods))
                        done = app.settled(self.states) and not self.doors.undecided
                        self.in_vain = app.hopeless(self.states, jobs, pods, begun_s)
                        if done or self.in_vain or time.monotonic() > deadline:
                            break
                        await seen.changed(min(0.5, max(0.01, deadline - time.monotonic())))
                    if done:
                        await self.reached(services, pods)
                finally:
                    for task in watching:
                        task.cancel()
        return app.settled(self.states) and not self.doors.closed

    async def reached(self, services: Sequence[Any], pods: Sequence[Any]) -> None:
        """Who asks at once after `ready` is answered."""
        from madang.gateway.reached import all_reached, wanted

        expected = wanted(services, pods)
        for _ in range(TRIES):
            if await all_reached(self.court.home / "run", expected):
                return
            await asyncio.sleep(AGAIN_S)

    def live(self) -> Any:
        if self.output == AS_JSON or not console().is_terminal:
            return Quiet()
        from rich.live import Live

        return Live(console=console(), refresh_per_second=12)

    def table(self) -> "Table":
        return grid([(s.service, s.state, s.detail) for s in self.states])

    async def report(self, api: Api, ready: bool) -> None:
        """Addresses and time, or what is not ready and why."""
        from madang.cli.dashboard import fresh_link
        from madang.cli.status import gather

        found = await gather(api, self.court)
        seconds = time.monotonic() - self.begun
        if self.output == AS_JSON:
            services = [{"service": s.service, "state": s.state, "detail": s.detail} for s in self.states]
            closed = list(self.doors.closed)
            link = {"dashboard_link": fresh_link(self.court)}
            print_json(
                {**found, **link, "ready": ready, "seconds": round(seconds, 3), "states": services, "closed": closed}
            )
            return
        if not console().is_terminal:
            for state in self.states:
                well = state.state in ("ready", "done")  # why not is told below
                say(plain(f"{state.service}: {state.state} {state.detail if well else ''}".rstrip()))
        told = {**found["addresses"], "kubeconfig": self.court.kubeconfig}
        width = max(12, *map(len, told))
        for key, address in told.items():
            say(f"  {key:<{width}} {address}")
        if way := fresh_link(self.court):
            say(f"open the dashboard (once; `madang dashboard` makes another link): {way}")
        for line in self.contained:
            say(plain(f"  {line}"))
        self.tell_others(found["services"], width)
        if ready:
            say(f"[green]ready[/] after {seconds:.1f} s")
            return
        why = ", and waiting longer would not help" if self.in_vain else ""
        say(f"[red]not ready[/] after {seconds:.1f} s{why}:")
        for state in self.states:
            if state.state not in ("ready", "done"):
                say(plain(f"  {state.service}: {state.state}: {state.detail}"))
        for door in self.doors.closed:
            say(plain(f"  {door}"))
        say("look further with `madang status`, `madang logs SERVICE` and `madang kubectl describe pod`")

    def tell_others(self, rows: Sequence[dict[str, Any]], width: int) -> None:
        """A courtyard goes on with all that it had, which may surprise who brings one application, or none."""
        own = self.application.namespace if self.application else ""
        others = sorted({row["namespace"] for row in rows if row["state"] != "stopped"} - {own})
        if own and others:
            say(f"  {'also here':<{width}} {', '.join(others)} (from earlier; `madang status` shows all)")
        if not own:
            said = f"it goes on with {', '.join(others)}" if others else "`madang up PATH` brings an application"
            say(f"no compose.yaml and no manifests in this folder: {said}")


class Quiet:
    """Stands where a live table would: for pipes and scripts."""

    def __enter__(self) -> "Quiet":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, _: object) -> None:
        pass


class Seen:
    """What the watches have shown of one namespace, and a wake-up for each change."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace
        self.objects: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
        self.woken = asyncio.Event()

    async def watch(self, kind: str) -> None:
        async for change in self.api.watch(kind, self.namespace):
            if change.type == "BOOKMARK":
                continue
            name = change.entry.key.name
            if change.type == "DELETED":
                self.objects[kind].pop(name, None)
            else:
                self.objects[kind][name] = change.entry.obj
            self.woken.set()

    def lists(self) -> list[list[Any]]:
        return [list(self.objects[kind].values()) for kind in KINDS]

    async def changed(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):  # `wait_for` of 3.11 loses a cancel that comes with the event
                await self.woken.wait()
        except TimeoutError:
            return
        self.woken.clear()


def grid(rows: Sequence[tuple[str, str, str]]) -> "Table":
    from rich.table import Table

    from madang.cli.status import colour

    out = Table.grid(padding=(0, 2))
    for width in (max((len(row[n]) for row in rows), default=0) for n in (0, 1)):
        out.add_column(no_wrap=True, min_width=width)  # a long reason takes no room from names
    out.add_column(overflow="ellipsis", no_wrap=True)
    for service, state, detail in rows:
        out.add_row(f"[bold]{service}[/]", colour(state), plain(detail))
    return out
