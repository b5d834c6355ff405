"""What a cluster always has comes back when it is deleted."""

import asyncio
import contextlib

import pytest

from madang.api.lasting import keep
from madang.ports.errors import NotFound
from tests.api.house import config_map, house

KEPT = (
    ("services", "default", "kubernetes"),
    ("endpointslices.discovery.k8s.io", "default", "kubernetes"),
    ("priorityclasses.scheduling.k8s.io", "", "system-node-critical"),
    ("serviceaccounts", "kube-system", "default"),
    ("configmaps", "default", "kube-root-ca.crt"),
)


@pytest.mark.parametrize(("kind", "namespace", "name"), KEPT)
def test_it_is_made_anew(kind: str, namespace: str, name: str) -> None:
    async def main() -> None:
        async with house() as api:
            keeping = asyncio.create_task(keep(api.desk, "127.0.0.1", 6443))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await api.create("configmaps", config_map("other"))
            await api.delete("configmaps", "default", "other")
            before = await api.get(kind, namespace, name)
            await api.delete(kind, namespace, name)
            async with asyncio.timeout(20):
                while True:
                    with contextlib.suppress(NotFound):
                        found = await api.get(kind, namespace, name)
                        if found["metadata"]["uid"] != before["metadata"]["uid"]:
                            break
                    await asyncio.sleep(0.001)
            assert found.get("spec") == before.get("spec") and found.get("data") == before.get("data")
            with pytest.raises(NotFound):
                await api.get("configmaps", "default", "other")
            keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeping

    asyncio.run(main())
