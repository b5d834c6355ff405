"""What is said about a service that is not there."""

from madang.everyday.service import unknown_service


def test_close_match() -> None:
    assert (
        unknown_service("catlog", "shop", ["catalog", "web"], [])
        == "no service 'catlog' in 'shop'; did you mean 'catalog'?"
    )


def test_a_job_is_no_service() -> None:
    assert "runs once" in unknown_service("migrate", "shop", ["web"], ["migrate"])


def test_nothing_there() -> None:
    assert "nothing runs in 'shop'" in unknown_service("web", "shop", [], [])
