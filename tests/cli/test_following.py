"""Instances that come while one follows are followed, each start once, and what ends is read to its end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

from madang.api.remote import RemoteApi, RemoteEntry
from madang.cli import following
from madang.ports.api import Page
from madang.ports.objects import Change, Obj


def pod(name: str, attempt: int = 0, state: str = "running", last: Obj | None = None) -> Obj:
    status = {
        "name": "web",
        "restartCount": attempt,
        "containerID": f"madang://{name}/web/{attempt}",
        "state": {state: {}},
        "lastState": last or {},
    }
    return {"metadata": {"name": name, "uid": name, "namespace": "shop"}, "status": {"containerStatuses": [status]}}


class Changing:
    """Pods as a list and one watch after another; the last watch stays open."""

    def __init__(self, there: list[Obj], *watches: list[tuple[str, Obj]]) -> None:
        self.there, self.watches, self.idle = there, list(watches), asyncio.Event()

    async def list(self, *_: object) -> Page:
        return Page(entries=[RemoteEntry("pods", p) for p in self.there], revision="1")

    async def watch(self, *_: object, **__: object) -> AsyncIterator[Change]:
        if not self.watches:
            self.idle.set()
            await asyncio.Event().wait()
        for type_, obj in self.watches.pop(0):
            others = [p for p in self.there if p["metadata"]["uid"] != obj["metadata"]["uid"]]
            self.there = others if type_ == "DELETED" else [*others, obj]
            yield Change(cast(Any, type_), RemoteEntry("pods", obj))


def read_by(api: Changing) -> list[tuple[str, bool]]:
    heard: list[tuple[str, bool]] = []

    async def read(one: Obj, container: str, early: bool) -> None:
        await asyncio.sleep(0)  # it is read to its end although the following is over meanwhile
        heard.append((one["status"]["containerStatuses"][0]["containerID"], early))

    async def over() -> None:
        await api.idle.wait()

    asyncio.run(following.follow(cast(RemoteApi, api), "shop", read, over=over))
    return heard


def test_who_comes_later_is_followed_as_well() -> None:
    old = pod("old")
    events = [("MODIFIED", old), ("ADDED", pod("new", state="waiting") | {"status": {}}), ("MODIFIED", pod("new"))]
    assert read_by(Changing([old], events)) == [("madang://old/web/0", True), ("madang://new/web/0", False)]


def test_a_container_that_starts_again_is_followed_again() -> None:
    ended = {"terminated": {"containerID": "madang://old/web/0"}}
    again = [
        ("MODIFIED", pod("old", 0, "waiting", ended)),
        ("MODIFIED", pod("old", 1, "waiting", ended)),
        ("MODIFIED", pod("old", 1)),
    ]
    assert [one for one, _ in read_by(Changing([pod("old")], again))] == [
        "madang://old/web/0",
        "madang://old/web/1",
    ]


def test_a_watch_that_ends_begins_again() -> None:
    api = Changing([], [("ADDED", pod("one"))], [("ADDED", pod("two")), ("DELETED", pod("one"))])
    assert [one for one, _ in read_by(api)] == ["madang://one/web/0", "madang://two/web/0"]


def test_the_last_instances_of_what_has_ended_are_read() -> None:
    class Late(Changing):
        async def watch(self, *_: object, **__: object) -> AsyncIterator[Change]:
            self.there = [pod("job", state="terminated")]
            self.idle.set()
            await asyncio.Event().wait()
            yield  # type: ignore[misc]

    assert [one for one, _ in read_by(Late([]))] == ["madang://job/web/0"]
