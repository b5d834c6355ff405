"""Following instances as they come and go: `logs -f` and the foreground of `up`.

In: the API, which pods, and who reads one container's log to its end. Out: a reader for each start of each container,
of those that are there as of those that a rollout, a restart or a larger number brings later. The pods are watched; a
reader ends with its log, so what is taken away is read to its end. It ends when `over` does, or with the courtyard.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

from madang.ports.api import ListOptions
from madang.ports.errors import Expired, Unavailable
from madang.ports.objects import Kind, Obj

if TYPE_CHECKING:
    from madang.api.remote import RemoteApi

# Of a pod's container; `early`: it had begun before one looked.
Read = Callable[[Obj, str, bool], Coroutine[Any, Any, None]]
# What a courtyard that has stopped answers: its socket is gone, or nobody listens there.
GONE = (ConnectionError, FileNotFoundError, Unavailable)


async def follow(
    api: "RemoteApi",
    namespace: str,
    read: Read,
    labels: str = "",
    over: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Until `over` ends, then to the end of what is open still; without it until the courtyard stops."""
    seen: dict[str, dict[str, str]] = {}
    options = ListOptions(labels=labels)
    page = await api.list("pods", namespace, options)

    async with asyncio.TaskGroup() as readers:

        def begin(pod: Obj, early: bool = False) -> None:
            for container in started(pod, seen):
                readers.create_task(read(pod, container, early))

        for entry in page.entries:
            begin(entry.obj, early=True)
        watch = asyncio.ensure_future(_watch(api, namespace, labels, page.revision, begin, seen))
        end = asyncio.ensure_future(over() if over is not None else asyncio.Event().wait())
        try:
            await asyncio.wait({watch, end}, return_when=asyncio.FIRST_COMPLETED)
            for one in (watch, end):
                if one.done():
                    one.result()
            if end.done():
                for entry in (await api.list("pods", namespace, options)).entries:
                    begin(entry.obj)
        except GONE:
            pass  # the courtyard stops: what is open ends by itself
        finally:
            watch.cancel()
            end.cancel()
            await asyncio.wait({watch, end})


async def _watch(
    api: "RemoteApi",
    namespace: str,
    labels: str,
    since: str,
    begin: Callable[[Obj], None],
    seen: dict[str, dict[str, str]],
) -> None:
    """A watch that the server ends begins again with what is there then."""
    while True:
        try:
            async for change in api.watch("pods", namespace, labels=labels, since=since):
                if change.type == "DELETED":
                    seen.pop(change.entry.obj["metadata"]["uid"], None)
                else:
                    begin(change.entry.obj)
        except Expired:
            pass
        page = await api.list("pods", namespace, ListOptions(labels=labels))
        there = {entry.obj["metadata"]["uid"] for entry in page.entries}
        for uid in seen.keys() - there:
            del seen[uid]
        for entry in page.entries:
            begin(entry.obj)
        since = page.revision


def started(pod: Obj, seen: dict[str, dict[str, str]]) -> Iterator[str]:
    """The containers that have begun since this pod was looked at last; `seen` remembers the present start of each."""
    mine = seen.setdefault(pod["metadata"]["uid"], {})
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        state, begun = status.get("state") or {}, status.get("containerID", "")
        ended = (status.get("lastState") or {}).get("terminated") or {}
        # One that waits for another start has the last one's output to read.
        legible = "running" in state or "terminated" in state or ended.get("containerID") == begun
        if begun and legible and mine.get(status["name"]) != begun:
            mine[status["name"]] = begun
            yield status["name"]


async def finished(api: "RemoteApi", kind: Kind, namespace: str, name: str) -> None:
    """Until a Job has ended, or the owner of the pods is taken away."""
    while True:
        async for change in api.watch(kind, namespace, fields=f"metadata.name={name}"):
            conditions = (change.entry.obj.get("status") or {}).get("conditions") or ()
            if change.type == "DELETED" or any(
                c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions
            ):
                return
