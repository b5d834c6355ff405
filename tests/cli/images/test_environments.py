"""Which digest runs where, from what the courtyards say."""

from typing import Any

from madang.app.application import SERVICE
from madang.app.overlay import ENVIRONMENT
from madang.cli.images.environments import rows, running

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def pod(name: str, *containers: tuple[str, str], service: str = "", namespace: str = "shop") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": {SERVICE: service} if service else {}},
        "status": {
            "containerStatuses": [
                {"image": "cart:1", "imageID": i, "state": {"running": {"startedAt": at}} if at else {"waiting": {}}}
                for i, at in containers
            ]
        },
    }


def namespace(name: str, environment: str = "") -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {ENVIRONMENT: environment} if environment else {}}}


def found(*pods: dict[str, Any], environment: str = "staging") -> list[tuple[Any, ...]]:
    made = rows(running("court", pods, [namespace("shop", environment)], lambda i: i))
    return [(r["digest"][7], r["environment"], r["service"], r["pods"], r["since"]) for r in made]


def test_a_row_for_each_service_and_digest() -> None:
    assert found(
        pod("x", (A, "2026-01-02T00:00:00Z"), service="cart"),
        pod("y", (A, "2026-01-01T00:00:00Z"), (A, "2026-01-03T00:00:00Z"), service="cart"),
        pod("z", (B, "2026-01-04T00:00:00Z"), service="cart"),
        pod("lone", (A, "2026-01-05T00:00:00Z")),
    ) == [
        ("a", "staging", "cart", 2, "2026-01-01T00:00:00Z"),
        ("a", "staging", "lone", 1, "2026-01-05T00:00:00Z"),
        ("b", "staging", "cart", 1, "2026-01-04T00:00:00Z"),
    ]


def test_what_does_not_run_and_what_is_no_image_is_left_out() -> None:
    assert found(pod("x", (A, "")), pod("y", ("madang.dev/host", "2026-01-01T00:00:00Z"))) == []
    assert found(pod("x", (A, "t")), environment="")[0][1] == ""
