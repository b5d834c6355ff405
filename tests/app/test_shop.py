"""The shop's file through the whole room: read, put into an API, put there again, changed, taken back."""

import asyncio
from dataclasses import replace
from pathlib import Path

from madang import app
from tests.api.house import house

SHOP = Path(__file__).parents[2] / "examples" / "shop"


def shop(tmp_path: Path) -> app.Application:
    return app.load([SHOP], app.LoadOptions(home=tmp_path))


def test_the_shop_is_read(tmp_path: Path) -> None:
    application = shop(tmp_path)
    assert application.namespace == "shop"
    assert application.services == ["web", "catalog", "cart", "orders", "payments"]
    assert [b.service for b in application.builds] == application.services
    kinds = [o["kind"] for o in application.objects]
    assert kinds.count("Deployment") == 5 and kinds.count("Service") == 6
    assert kinds.count("HTTPRoute") == kinds.count("HorizontalPodAutoscaler") == 1


def test_applied_twice_nothing_changes_and_what_is_no_longer_named_goes(tmp_path: Path) -> None:
    application = shop(tmp_path)

    async def main() -> None:
        async with house() as api:
            first = await app.apply(api, application)
            assert len(first.created) == len(application.objects) and not first.changed + first.removed
            second = await app.apply(api, application)
            assert not second.created + second.changed + second.removed, second
            without = [o for o in application.objects if o["metadata"]["name"] != "payments"]
            third = await app.apply(api, replace(application, objects=without))
            assert sorted(third.removed) == ["deployment/payments", "service/payments"]

    asyncio.run(main())
