"""The process that pulls and pushes: `python -m madang.node.images.registry.worker`, one job, then it ends.

In and out: as for the one that unpacks archives (`images/worker.py`). The job may carry credentials (of
imagePullSecrets); without them those of the user are read when a registry wants to know.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from madang.node.images.layout import Layout
from madang.node.images.limits import BadArchive, NoRoom
from madang.node.images.reference import parse
from madang.node.images.registry.client import RegistryError
from madang.node.images.registry.credentials import BadCredentials, config_path, read_config
from madang.node.images.registry.places import VARIABLE, own, places
from madang.node.images.registry.pulling import pull
from madang.node.images.registry.pushing import push
from madang.node.images.store import Damaged
from madang.node.images.worker import Progress, after, begin, disk_error, say


def credentials(job: Mapping[str, Any]) -> Callable[[], Mapping[str, Any]]:
    given = job["credentials"]
    return lambda: read_config(config_path(os.environ)) if given is None else given


def work(job: Mapping[str, Any]) -> None:
    layout, text = Layout(Path(job["folder"])), job["reference"]
    domain, config, told = parse(text).domain, credentials(job), Progress()
    if job["action"] == "pull":
        from_where = places(domain, os.environ.get(VARIABLE, ""))
        after(job["folder"], [pull(layout, text, from_where, config, told, platform=job["platform"])])
    else:
        say({"pushed": push(layout, text, own(domain), config, told)})


def main() -> int:
    job = begin()
    try:
        work(job)
    except (RegistryError, BadCredentials, BadArchive, NoRoom, Damaged, ValueError) as error:
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
