"""What a cluster always has is made once, and put right when the API has moved."""

import asyncio

from madang.api.always import ensure
from tests.api.house import house


def test_a_second_start_changes_nothing_but_what_moved() -> None:
    async def main() -> None:
        async with house() as api:
            before = api.desk.store.revision
            await ensure(api.desk, "127.0.0.1", 6443)
            assert api.desk.store.revision == before
            await ensure(api.desk, "127.0.0.1", 7443)
            service = await api.get("services", "default", "kubernetes")
            assert service["spec"]["ports"][0]["targetPort"] == 7443 and service["spec"]["clusterIP"] == "10.96.0.1"
            slice_ = await api.get("endpointslices.discovery.k8s.io", "default", "kubernetes")
            assert slice_["ports"][0]["port"] == 7443

    asyncio.run(main())


def test_what_was_deleted_from_a_namespace_is_there_again_after_a_start() -> None:
    async def main() -> None:
        async with house() as api:
            await api.delete("configmaps", "default", "kube-root-ca.crt")
            await ensure(api.desk, "127.0.0.1", 6443)
            assert await api.get("configmaps", "default", "kube-root-ca.crt")

    asyncio.run(main())
