"""For all tests: hypothesis without a look at the clock, since how long an example takes says nothing on a shared
machine; and what starts real courtyards comes first, so that short tests fill what is left of two workers' time."""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)
