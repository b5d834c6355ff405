"""A program for the crash test: opens the store of argv[1] and commits for ever, telling on stdout what was
acknowledged, one line a write, until it is killed. First line: `open REVISION`."""

import asyncio
import os
import sys
from pathlib import Path

import orjson

from madang.ports.clock import SystemClock
from madang.ports.objects import Key
from madang.store.durable import open_store
from madang.store.journaled import JournaledStore
from madang.store.model import Encode


def encode(name: str) -> Encode:
    return lambda revision: orjson.dumps({"name": name, "revision": revision, "padding": "x" * 1200})


async def write_for_ever(store: JournaledStore, worker: int) -> None:
    step = 0
    while True:
        step += 1
        key = Key("pods", "shop", f"w{worker}-{step % 17}")
        if step % 5 == 0 and store.newest(key) is not None:
            entry, word = await store.remove(key, encode(key.name), expect=None), "gone"
        else:
            entry, word = await store.put(key, encode(key.name), expect=None), "kept"
        # One write call a line: a line is told whole or not at all.
        os.write(1, f"{word} {key.name} {entry.revision}\n".encode())


async def main(path: Path) -> None:
    store = await open_store(path, lambda kind, data: (), SystemClock())
    os.write(1, f"open {store.revision}\n".encode())
    async with asyncio.TaskGroup() as tasks:
        for worker in range(8):
            tasks.create_task(write_for_ever(store, worker))


asyncio.run(main(Path(sys.argv[1])))
