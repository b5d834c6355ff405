"""What a person reads of the machine."""

from madang.cli.status import machine


def test_what_the_machine_allows_with_its_limits_and_why_not() -> None:
    host = {"name": "host", "works": True, "why_not": "", "details": {"limits": "memory watched (no cgroup)"}}
    bridge = {"name": "bridge", "works": False, "why_not": "needs root [or rights]", "details": {}}
    assert machine([host, bridge]) == [
        ["host", "[green]yes[/]", "programs from their source"],
        ["  limits", "", "memory watched (no cgroup)"],
        ["bridge", "no", r"needs root \[or rights]"],
    ]
