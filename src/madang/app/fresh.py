"""`up --watch`: changed sources restart what they belong to.

In: a running application. Out: its files read again, environments made and images built where their key changed, the
objects applied; a changed source is another image reference, and so a rolling update of that service alone. What a
service says in `develop.watch` is done instead (`watching.py`), by `Hands`.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from madang.app.application import SERVICE, Application, ApplicationError
from madang.app.applying import apply
from madang.app.building import build
from madang.app.loading import load
from madang.app.programs.source import DATABASES, LEFT_BEHIND, NEVER, ignored, matches
from madang.app.watching import Todo, todo
from madang.ports.api import Api, ListOptions
from madang.ports.errors import StatusError
from madang.ports.objects import Obj

# Vim's swap files, Emacs' locks and copies, JetBrains' safe writes; then GNU sed's copies and Vim's trial of a folder.
EDITORS = re.compile(r"\..*\.sw[a-px]|.*~|\.#.*|#.*#|.*___jb_(tmp|old|bak)___")
READY_S = 30.0
BRIEF = re.compile(r"sed[0-9A-Za-z]{6}|4913")


class Unreached(Exception):
    """Something could not be done to an instance that runs; why."""


class Hands(Protocol):
    """What is done to an instance that runs. Raises `Unreached`."""

    async def put(self, pod: Obj, files: Mapping[Path, str]) -> None: ...

    async def restart(self, pod: Obj) -> None: ...

    async def run(self, pod: Obj, command: Sequence[str]) -> None: ...


def watch_sources(application: Application) -> Mapping[Path, Sequence[str]]:
    """Folders of source and the services made of them, but for those that say themselves what to watch."""
    out: dict[Path, list[str]] = {}
    ruled = {rule.service for rule in application.rules}
    made = [(one.service, one.context) for one in application.builds]
    made += [(one.service, one.context) for one in application.images]
    for service, context in made:
        if service not in ruled:
            out.setdefault(context, []).append(service)
    for found in application.found:
        if found.program.root != found.data:  # a server with files of the user's own
            name = found.program.reference.rpartition("/")[2].partition(":")[0]
            out.setdefault(found.program.root, []).append(name)
    return out


async def keep_fresh(
    api: Api, application: Application, home: Path, say: Callable[[str], None], hands: Hands | None = None
) -> None:
    from watchfiles import awatch

    await Reaching(api, application, say, hands).begin()
    while True:
        folders = watch_sources(application)
        files = {p.resolve() for p in application.sources}
        ruled = {rule.path if rule.path.is_dir() else rule.path.parent for rule in application.rules}
        sources = {*folders, *(path for path in ruled if path.is_dir())}
        watched = [*sources, *{p.parent for p in files if not any(p.is_relative_to(f) for f in sources)}]
        again = False
        async for changes in awatch(*watched, debounce=100, step=30, recursive=True):
            paths = [path for _, p in changes if not temporary(path := Path(p))]
            services, due = touched(folders, paths), todo(application.rules, paths)
            again = bool(files.intersection(paths))
            services += [name for name in due if due[name].rebuild]
            if not again:
                reaching = Reaching(api, application, say, hands)
                services += await reaching.carry_out({n: d for n, d in due.items() if not d.rebuild}, paths)
            if services:
                mine = [p for p in paths if touched(folders, [p]) or todo(application.rules, [p])]
                say(f"{named(mine)} changed: making {', '.join(services)} anew")
            if services or again:
                held = set() if again else {rule.service for rule in application.rules}.difference(services)
                application = await refreshed(api, application, home, say, held)
            if again:
                break  # other folders may be named now
        if not again:
            return


class Reaching:
    """What rules of `develop.watch` do to instances that run."""

    def __init__(self, api: Api, application: Application, say: Callable[[str], None], hands: Hands | None) -> None:
        self.api, self.application, self.say, self.hands = api, application, say, hands

    async def begin(self) -> None:
        """All files of the rules that want it are brought before anything changes."""
        first = [rule for rule in self.application.rules if rule.first]
        paths = [p for rule in first for p in (rule.path, *rule.path.rglob("*")) if p.is_file() and not temporary(p)]
        if paths:
            await self.carry_out(todo(first, paths), paths)

    async def carry_out(self, due: Mapping[str, Todo], paths: Sequence[Path]) -> list[str]:
        """The services for which it could not be done: they are to be built anew."""
        failed = []
        for service, one in due.items():
            try:
                await self.done(service, one)
                self.say(f"{service}: {named(list(one.files) or paths)} {told(one)}")
            except (Unreached, StatusError, OSError) as error:  # a file that may not be read, an instance just gone
                self.say(f"{service}: {error}")
                failed.append(service)
        return failed

    async def done(self, service: str, one: Todo) -> None:
        if self.hands is None:
            raise Unreached("its instances are out of reach")
        for pod in await self.instances(service):
            if one.files:
                await self.hands.put(pod, one.files)
            if one.restart:
                await self.hands.restart(pod)
                await self.ready(pod)
            for command in one.commands:
                await self.hands.run(pod, command)

    async def instances(self, service: str) -> list[Obj]:
        page = await self.api.list("pods", self.application.namespace, ListOptions(labels=f"{SERVICE}={service}"))
        return [e.obj for e in page.entries if "deletionTimestamp" not in e.obj["metadata"] and runs(e.obj)]

    async def ready(self, pod: Obj) -> None:
        """Until it is again, so that not all instances are away at once; not for ever."""
        meta = pod["metadata"]
        before = restarts(pod)
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_S):
                async for change in self.api.watch("pods", meta["namespace"], fields=f"metadata.name={meta['name']}"):
                    if change.type == "DELETED" or (restarts(change.entry.obj) > before and is_ready(change.entry.obj)):
                        return


def runs(pod: Obj) -> bool:
    return bool(pod.get("status", {}).get("phase") == "Running")


def restarts(pod: Obj) -> int:
    return sum(int(c["restartCount"]) for c in pod["status"].get("containerStatuses") or ())


def is_ready(pod: Obj) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions") or ())


def told(one: Todo) -> str:
    words = ["in place"] if one.files else ["changed"]
    words += ["started again"] if one.restart else []
    return ", ".join([*words, *(f"ran {' '.join(command)}" for command in one.commands)])


def temporary(path: Path) -> bool:
    """What an editor writes beside a file while it saves that. A name that could be anybody's as well is temporary if
    it is gone again."""
    return EDITORS.fullmatch(path.name) is not None or (BRIEF.fullmatch(path.name) is not None and not path.exists())


def touched(folders: Mapping[Path, Sequence[str]], paths: Sequence[Path]) -> list[str]:
    found: dict[str, None] = {}
    for folder, services in folders.items():
        rules = ignored(folder)
        for path in paths:
            if path.is_relative_to(folder) and counts(path, folder, rules):
                found |= dict.fromkeys(services)
    return list(found)


def counts(path: Path, folder: Path, rules: list[tuple[bool, str]]) -> bool:
    inside = path.relative_to(folder)
    return not NEVER.intersection(inside.parts) and not path.name.endswith((*LEFT_BEHIND, *DATABASES)) and not any(
        matches(folder / Path(*inside.parts[: n + 1]), folder, rules) for n in range(len(inside.parts))
    )  # fmt: skip


async def refreshed(
    api: Api, application: Application, home: Path, say: Callable[[str], None], held: AbstractSet[str] = frozenset()
) -> Application:
    """The application as its files now say; the old one stays where they are wrong. Services that are `held` stay as
    they are: their own rules say what a change means."""
    try:
        new = without(await asyncio.to_thread(load, application.paths, application.options), application, held)
        await build(new, home, lambda service, line, step=False: say(f"{service}: {line}") if step else None)
        page = await api.list("deployments.apps", new.namespace)
        live = {entry.key.name: entry.obj for entry in page.entries}
        applied = await apply(api, replace(new, objects=as_many(application.objects, new.objects, live)))
    except ApplicationError as error:
        say("not applied: " + "\n  ".join(error.messages))
        return application
    except StatusError as error:
        say(f"not applied: {error.message}")
        return application
    if applied.changed or applied.created or applied.removed:
        say(f"applied: {', '.join([*applied.created, *applied.changed, *applied.removed])}")
    return new


def without(new: Application, old: Application, held: AbstractSet[str]) -> Application:
    """The new application, with what the old one had of the services that are held."""
    if not held:
        return new
    before = {(o["kind"], o["metadata"]["name"]): o for o in old.objects if o["metadata"]["name"] in held}
    return replace(
        new,
        objects=[before.get((o["kind"], o["metadata"]["name"]), o) for o in new.objects],
        builds=[one for one in new.builds if one.service not in held],
        images=[one for one in new.images if one.service not in held],
    )


def as_many(old: Sequence[Obj], new: Sequence[Obj], live: Mapping[str, Obj]) -> list[Obj]:
    """The new objects, with as many instances as run now where the files' own number has not changed: a saved source
    takes back no `madang scale`."""
    before = {o["metadata"]["name"]: o["spec"].get("replicas") for o in old if o["kind"] == "Deployment"}
    out = []
    for obj in new:
        name, spec = obj["metadata"]["name"], obj.get("spec") or {}
        if (
            obj["kind"] == "Deployment"
            and name in live
            and spec.get("replicas")
            and before.get(name) == spec["replicas"]
        ):
            obj = {**obj, "spec": {**spec, "replicas": live[name]["spec"].get("replicas", 1)}}
        out.append(obj)
    return out


def named(paths: Sequence[Path]) -> str:
    names = sorted({path.name for path in paths})
    return ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
