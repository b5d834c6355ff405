"""Templates of pods: kept, counted, selected, shown."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from madang.kinds.table import by_id
from madang.ports.errors import StatusError
from tests.api.house import house

BODY: dict[str, Any] = {
    "metadata": {"name": "nightly", "namespace": "default", "labels": {"for": "jobs"}},
    "template": {
        "metadata": {"labels": {"app": "nightly"}},
        "spec": {"containers": [{"name": "main", "image": "tidy:1"}, {"name": "log", "image": "log:1"}]},
    },
}


def test_a_template_is_defaulted_counted_and_checked(tmp_path: Path) -> None:
    async def story() -> None:
        async with house("loopback", tmp_path) as api:
            made = (await api.create("podtemplates", BODY)).obj
            assert made["metadata"]["generation"] == 1
            assert made["template"]["spec"]["restartPolicy"] == "Always"
            labelled = await api.patch("podtemplates", "default", "nightly", {"metadata": {"labels": {"a": "b"}}})
            assert labelled.obj["metadata"]["generation"] == 1
            one = {"spec": {"containers": [{"name": "main", "image": "tidy:2"}]}}
            changed = (await api.patch("podtemplates", "default", "nightly", {"template": one})).obj
            assert changed["metadata"]["generation"] == 2
            cells = [str(c.cell(made, 0.0)) for c in by_id("podtemplates").columns]
            assert cells == ["nightly", "main,log", "tidy:1,log:1", "app=nightly"]
            empty = {"metadata": {"name": "empty", "namespace": "default"}, "template": {"spec": {"containers": []}}}
            with pytest.raises(StatusError, match=r"template\.spec\.containers: Required value"):
                await api.create("podtemplates", empty)

    asyncio.run(story())
