"""The process that pulls and pushes: `python -m madang.node.images.registry.worker`, one job, then it ends.

In and out: as for the one that unpacks archives (`images/worker.py`). The job may carry credentials (of
imagePullSecrets), which come before those of the user. `bring` also asks the engines of this machine, before any
registry.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from madang.node.images.engines import taken
from madang.node.images.layout import Layout
from madang.node.images.limits import BadArchive, NoRoom
from madang.node.images.loading import take
from madang.node.images.reference import Reference, parse
from madang.node.images.registry.certificates import BadCertificate
from madang.node.images.registry.client import RegistryError
from madang.node.images.registry.credentials import BadCredentials, config_path, login, read_config
from madang.node.images.registry.places import VARIABLE, own, places
from madang.node.images.registry.pulling import current, pull
from madang.node.images.registry.pushing import push
from madang.node.images.registry.reach import WHOLE_S, Unreached, reached
from madang.node.images.store import Damaged
from madang.node.images.worker import Progress, after, begin, disk_error, say


def credentials(job: Mapping[str, Any]) -> Callable[[], Mapping[str, Any]]:
    given = job["credentials"]
    return lambda: read_config(config_path(os.environ)) if given is None else given


def work(job: Mapping[str, Any]) -> None:
    layout, text = Layout(Path(job["folder"])), job["reference"]
    image, told = parse(text), Progress()
    where = places(image.domain, os.environ.get(VARIABLE, ""))
    config = credentials(job)
    match job["action"]:
        case "push":
            say({"pushed": push(layout, text, settled(own(image.domain)), config, told)})
        case "pull":
            found = pull(layout, text, where, config, told, platform=job["platform"], reach_s=WHOLE_S)
            after(job["folder"], [found.digest], found.place)
        case "current":
            asked = current(text, where, lambda: first(job["credentials"], image), job["within_s"])
            say({"digest": asked.digest, "from": asked.place})
        case "bring":
            bring(layout, job, image, told, where)


def bring(layout: Layout, job: Mapping[str, Any], image: Reference, told: Progress, where: Sequence[str]) -> None:
    """From whoever has it, the nearest first."""
    if job["engines"] and image.path:
        layout.make()
        found, engine = list[str](), ""
        with layout.adding() as folder:
            if engine := taken(image, folder / "archive"):
                found = take(layout, folder / "archive", told, (job["reference"],), job["platform"])
        if engine:
            after(job["folder"], found, engine)  # room is made, and we are ended, when nothing of ours lies about
            return
    pulled = pull(
        layout, job["reference"], where, lambda: first(job["credentials"], image), told, platform=job["platform"],
        reach_s=WHOLE_S,
    )  # fmt: skip
    after(job["folder"], [pulled.digest], pulled.place)


def first(given: Mapping[str, Any] | None, image: Reference) -> Mapping[str, Any]:
    """The pod's own credentials where they fit, else the user's."""
    if given is not None and login(given, image) is not None:
        return given
    return read_config(config_path(os.environ))


def settled(base: str) -> str:
    """What of this machine's own registries speaks TLS."""
    try:
        return reached(base)
    except Unreached:
        return base  # who pushes is told by the push


def main() -> int:
    job = begin()
    try:
        work(job)
    except (RegistryError, BadCredentials, BadArchive, NoRoom, Damaged, BadCertificate, ValueError) as error:
        status = error.status if isinstance(error, RegistryError) else 0
        say({"error": f"{job['reference']}: {error}", "status": status})
    except OSError as error:
        say({"error": disk_error(error, job["reference"])})
    else:
        return 0
    return 1


if __name__ == "__main__":
    code = main()
    os._exit(code)  # threads that wait for the asker or a registry hold nobody up
