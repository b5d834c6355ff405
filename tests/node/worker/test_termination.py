"""What the last words of a program tell: its message, and about its port."""

from pathlib import Path

import pytest

from madang.node.pod.spec import Role
from madang.node.runtimes.runtime import Exit
from madang.node.worker.termination import may_not_have_its_port, with_message

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


def test_the_last_words_end_as_they_were_written(tmp_path: Path) -> None:
    role = Role("main", {"name": "c", "terminationMessagePolicy": "FallbackToLogsOnError"})
    log, none = tmp_path / "log", tmp_path / "none"
    log.write_text("T stdout F one line\nT stderr P cut \nT stderr F in two\nT stdout P DONE\n")
    failed = Exit(1, 0, 0.0, 1.0, "Error")
    assert with_message(failed, role, none, log).message == "one line\ncut in two\nDONE"
    assert with_message(Exit(0, 0, 0.0, 1.0, "Completed"), role, none, log).message == ""
