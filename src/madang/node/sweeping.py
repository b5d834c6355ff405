"""Clears away what pods left that are no more: a control process that died saw neither their end nor their deletion.

In: the folders under `pods/`, the uids that still have an object. Out: nothing of the others.
"""

import logging
import shutil
from collections.abc import Collection, Iterable
from functools import partial
from pathlib import Path

from madang.node.aside import Aside, at_once
from madang.node.networks.network import Network
from madang.node.runtimes.runtime import Running, Runtime, SignalRefused

log = logging.getLogger(__name__)


async def sweep(
    home: Path, uids: Collection[str], runtimes: Iterable[Runtime], network: Network, aside: Aside = at_once
) -> None:
    known = list(runtimes)
    pods = home / "pods"
    for folder in sorted(pods.iterdir()) if pods.is_dir() else ():
        if folder.name in uids:
            continue
        for start in folder.glob("containers/*/*"):
            if start.is_dir():
                await _end(start, known)
        await aside(partial(shutil.rmtree, folder, ignore_errors=True))
    for uid in [u for u in network.attached() if u not in uids]:
        await network.detach(uid)
    logs = home / "logs"
    for folder in sorted(logs.iterdir()) if logs.is_dir() else ():
        if folder.name.rpartition("_")[2] not in uids:
            await aside(partial(shutil.rmtree, folder, ignore_errors=True))


async def _end(start: Path, runtimes: Iterable[Runtime]) -> None:
    for runtime in runtimes:
        found = runtime.adopt(start)
        if found is None:
            continue
        if isinstance(found, Running):
            try:
                await runtime.kill(found)
            except SignalRefused as refused:
                log.warning("%s", refused)
            await runtime.wait(found, start)
        await runtime.remove(start)
        return
