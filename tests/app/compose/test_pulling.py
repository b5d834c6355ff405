"""Compose's pull_policy, and images that no program of this machine stands for."""

from pathlib import Path
from typing import Any

import pytest

from madang import app
from madang.app.choice import CONTAINER, Chosen, HostAlone, Impossible


class Registry(HostAlone):
    def __init__(self, *there: str) -> None:
        self.there, self.asked = there, list[str]()

    def brought(self, image: str, asked: str) -> Chosen:
        self.asked.append(image)
        if image not in self.there:
            raise Impossible("nobody has it")
        return Chosen(CONTAINER, "pulled")


def load(tmp_path: Path, service: str, registry: Registry) -> Any:
    (tmp_path / "compose.yaml").write_text(f"services:\n  db:\n    {service}\n")
    found = app.load([tmp_path], app.LoadOptions(home=tmp_path / "home", runtimes=registry))
    (deployment,) = (o for o in found.objects if o["kind"] == "Deployment")
    return deployment["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.parametrize(
    ("written", "policy"),
    [
        ("", "IfNotPresent"), ("pull_policy: always", "Always"), ("pull_policy: missing", "IfNotPresent"),
        ("pull_policy: if_not_present", "IfNotPresent"),
    ],
)  # fmt: skip
def test_policies(tmp_path: Path, written: str, policy: str) -> None:
    registry = Registry("a.io/db:latest")
    found = load(tmp_path, f"image: a.io/db:latest\n    {written}", registry)
    assert (found["image"], found["imagePullPolicy"]) == ("a.io/db:latest", policy)
    assert registry.asked == ["a.io/db:latest"]


def test_what_nobody_has(tmp_path: Path) -> None:
    with pytest.raises(app.ApplicationError, match=r"cannot run here.*\(nobody has it\)"):
        load(tmp_path, "image: a.io/db", Registry())
    never = Registry("a.io/db")
    with pytest.raises(app.ApplicationError, match=r"cannot run here.*\(pull_policy: never\)"):
        load(tmp_path, "image: a.io/db\n    pull_policy: never", never)
    assert never.asked == []


def test_an_age_is_not_looked_at(tmp_path: Path) -> None:
    with pytest.raises(app.ApplicationError, match=r'pull_policy: "daily" cannot be kept'):
        load(tmp_path, "image: a.io/db\n    pull_policy: daily", Registry("a.io/db"))
