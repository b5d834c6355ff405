"""A namespace and what belongs into it are one commit: where the disk refuses it, the API says so, and nothing is
there."""

import asyncio

import pytest

from madang.api.direct import DirectApi
from madang.api.index import Index
from madang.ports.chance import SystemChance
from madang.ports.clock import SystemClock
from madang.ports.errors import Unavailable
from madang.ports.journal import JournalFailed
from madang.store.memory import MemoryJournal, memory_store
from tests.api.house import settings


class Full(MemoryJournal):
    def sync(self) -> None:
        raise JournalFailed("the disk is full")


def test_a_full_disk_refuses_a_namespace_in_the_apis_own_words() -> None:
    async def story() -> None:
        index, clock = Index(), SystemClock()
        store = memory_store(index.terms, clock, journal=Full())
        api = DirectApi(store, index, clock, SystemChance(1), settings())
        api.desk.ca_pem = "-----BEGIN CERTIFICATE-----\n"
        with pytest.raises(Unavailable, match="the disk is full"):
            await api.create("namespaces", {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "n"}})
        assert api.view.get("namespaces", "", "n") is None and not api.view.list("configmaps", "n")
        await store.close()

    asyncio.run(story())
