"""What the last words of a program tell about its port."""

import pytest

from madang.node.runtimes.runtime import Exit
from madang.node.worker.termination import may_not_have_its_port

REFUSED = Exit(3, 0, 0.0, 1.0, "Error", "ERROR:    [Errno 13] Permission denied")


@pytest.mark.parametrize(
    ("end", "ports", "user", "low"),
    [
        (REFUSED, [8000, 80], 1000, 80),
        (REFUSED, [8000], 1000, 0),
        (REFUSED, [80], 0, 0),
        (Exit(3, 0, 0.0, 1.0, "Error", "KeyError"), [80], 1000, 0),
        (Exit(0, 0, 0.0, 1.0, "Completed", REFUSED.message), [80], 1000, 0),
    ],
)
def test_a_low_port_is_refused(
    end: Exit, ports: list[int], user: int, low: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    assert may_not_have_its_port(end, ports) == low
