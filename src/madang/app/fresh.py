"""`up --watch`: changed sources restart what they belong to.

In: a running application. Out: its files read again, environments made where their key changed, the objects applied;
a changed source is another image reference, and so a rolling update of that service alone.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from madang.app.application import Application, ApplicationError
from madang.app.applying import apply
from madang.app.building import build
from madang.app.loading import load
from madang.app.programs.source import DATABASES, LEFT_BEHIND, NEVER, ignored, matches
from madang.ports.api import Api
from madang.ports.errors import StatusError
from madang.ports.objects import Obj

# Vim's swap files, Emacs' locks and copies, JetBrains' safe writes; then GNU sed's copies and Vim's trial of a folder.
EDITORS = re.compile(r"\..*\.sw[a-px]|.*~|\.#.*|#.*#|.*___jb_(tmp|old|bak)___")
BRIEF = re.compile(r"sed[0-9A-Za-z]{6}|4913")


def watch_sources(application: Application) -> Mapping[Path, Sequence[str]]:
    """Folders of source and the services made of them; a folder of the files themselves belongs to all."""
    out: dict[Path, list[str]] = {}
    for one in application.builds:
        out.setdefault(one.context, []).append(one.service)
    for found in application.found:
        if found.program.root != found.data:  # a server with files of the user's own
            service = found.program.reference.rpartition("/")[2].partition(":")[0]
            out.setdefault(found.program.root, []).append(service)
    return out


async def keep_fresh(api: Api, application: Application, home: Path, say: Callable[[str], None]) -> None:
    from watchfiles import awatch

    while True:
        folders = watch_sources(application)
        files = {p.resolve() for p in application.sources}
        watched = [*folders, *{p.parent for p in files if not any(p.is_relative_to(f) for f in folders)}]
        again = False
        async for changes in awatch(*watched, debounce=200, step=50, recursive=True):
            paths = [path for _, p in changes if not temporary(path := Path(p))]
            services = touched(folders, paths)
            if not services and not files.intersection(paths):
                continue
            if services:
                say(f"{named(paths)} changed: making {', '.join(services)} anew")
            application, again = await refreshed(api, application, home, say), bool(files.intersection(paths))
            if again:
                break  # other folders may be named now
        if not again:
            return


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


async def refreshed(api: Api, application: Application, home: Path, say: Callable[[str], None]) -> Application:
    """The application as its files now say; the old one stays where they are wrong."""
    try:
        new = await asyncio.to_thread(load, application.paths, application.options)
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
