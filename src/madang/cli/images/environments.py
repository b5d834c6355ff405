"""`madang image ls --envs`: which image runs where, over all courtyards of this user.

In: what each running courtyard's API says of its pods and projects, and the store. Out: a row for each service of each
courtyard and each image of it (pure), shown as a table or as JSON. The digest is the manifest's: the same in every
environment means that nothing was built between them.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from madang.cli import courtyards
from madang.cli.courtyards import Courtyard
from madang.cli.house import remote
from madang.cli.screen import plain, say, table, warn
from madang.ports.errors import StatusError

if TYPE_CHECKING:
    from collections.abc import Callable

    from madang.ports.objects import Obj

IMAGE = "sha256:"  # a program of this machine has no digest
SHORT = 19


@dataclass(frozen=True, slots=True)
class Running:
    digest: str
    image: str
    courtyard: str
    environment: str
    project: str
    service: str
    pods: int
    since: str  # when the one that runs for the longest was started


def running(
    court: str, pods: Iterable["Obj"], namespaces: Iterable["Obj"], digest_of: "Callable[[str], str]"
) -> list[Running]:
    """`digest_of` makes a manifest's digest of an imageID."""
    from madang.app import grouped
    from madang.app.overlay import ENVIRONMENT

    environments = {
        n["metadata"]["name"]: str((n["metadata"].get("labels") or {}).get(ENVIRONMENT, "")) for n in namespaces
    }
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for project, own in _by_namespace(pods).items():
        alone = {pod["metadata"]["name"]: [pod] for pod in own if not grouped([pod])}
        for service, members in (*grouped(own).items(), *alone.items()):
            for pod in members:
                for image, image_id, started in _images(pod):
                    found.setdefault((digest_of(image_id), image, project, service), []).append(started)
    return [
        Running(digest, image, court, environments.get(project, ""), project, service, len(starts), min(starts))
        for (digest, image, project, service), starts in sorted(found.items())
    ]


def _by_namespace(pods: Iterable["Obj"]) -> Mapping[str, list["Obj"]]:
    out: dict[str, list[Obj]] = {}
    for pod in pods:
        out.setdefault(pod["metadata"]["namespace"], []).append(pod)
    return out


def _images(pod: "Obj") -> Iterable[tuple[str, str, str]]:
    """(name, imageID, started) of each image that a pod runs, once."""
    seen: dict[str, tuple[str, str, str]] = {}
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        started = ((status.get("state") or {}).get("running") or {}).get("startedAt", "")
        if started and str(status.get("imageID", "")).startswith(IMAGE):
            one = (str(status["image"]), str(status["imageID"]), str(started))
            seen[one[1]] = min(one, seen.get(one[1], one), key=lambda each: each[2])
    return seen.values()


async def gathered(courts: Iterable[Courtyard], digest_of: "Callable[[str], str]") -> list[Running]:
    """All that answer; who does not is named."""
    several = [court for court in courts if court.runs]
    answers = await asyncio.gather(*(_asked(court, digest_of) for court in several))
    return sorted((row for rows in answers for row in rows), key=lambda r: (r.image, r.digest, r.courtyard, r.service))


async def _asked(court: Courtyard, digest_of: "Callable[[str], str]") -> list[Running]:
    try:
        async with remote(court) as api:
            pods, namespaces = [[e.obj for e in (await api.list(k)).entries] for k in ("pods", "namespaces")]
    except (StatusError, OSError) as error:
        warn(f"the courtyard {court.name!r} does not answer: {error}")
        return []
    return running(court.name, pods, namespaces, digest_of)


def everywhere(digest_of: "Callable[[str], str]") -> list[Running]:
    return asyncio.run(gathered(courtyards.every(), digest_of))


def rows(found: Iterable[Running]) -> list[dict[str, Any]]:
    return [asdict(one) for one in found]


def show(found: list[Running]) -> None:
    if not found:
        say("no running courtyard has a container of an image")
        return
    several = len({(r.courtyard, r.project) for r in found}) > len({r.courtyard for r in found})
    heads = ("IMAGE", "DIGEST", "COURTYARD", "ENV", *(("PROJECT",) if several else ()), "SERVICE", "PODS", "SINCE")
    lines = []
    for r in found:
        project = (r.project,) if several else ()
        lines.append(
            (r.image, r.digest[:SHORT], r.courtyard, r.environment or "-", *project, r.service, str(r.pods), r.since)
        )
    table(heads, [[plain(cell) for cell in line] for line in lines])
