"""Which pods wait again, and whether the machine was started anew."""

from pathlib import Path
from typing import Any

import pytest

from madang.courtyard import gates


def pod(**more: Any) -> dict[str, Any]:
    owner = [{"kind": "ReplicaSet", "name": "r", "controller": True}]
    meta = {"name": "p", "annotations": {gates.ANNOTATION: "[]"}, "ownerReferences": owner}
    return {"metadata": meta | more.pop("metadata", {}), "status": {"phase": "Running"}, **more}


def test_who_waits_again() -> None:
    assert gates.waits(pod())
    assert not gates.waits(pod(status={"phase": "Succeeded"})), "a migration that is done is done"
    assert not gates.waits(pod(metadata={"ownerReferences": []})), "nobody would make it anew"
    assert not gates.waits(pod(metadata={"annotations": None}))


def test_a_reboot_is_noticed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boot = tmp_path / "boot"
    monkeypatch.setattr(gates, "BOOT_ID", boot)
    boot.write_text("one\n")
    assert [gates.rebooted(tmp_path), gates.rebooted(tmp_path)] == [False, False]
    boot.write_text("two\n")
    assert [gates.rebooted(tmp_path), gates.rebooted(tmp_path)] == [True, False]
