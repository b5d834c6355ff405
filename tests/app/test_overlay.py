"""`--env`: which files an environment brings, and what is said where it brings none."""

import re
from pathlib import Path
from typing import Any

import pytest

from madang import app
from madang.app.overlay import ENVIRONMENT

BASE = """
services:
  web:
    image: madang.dev/host
    command: [sleep, "${SECONDS_TO_SLEEP}"]
    environment: {A: base, B: base}
    deploy: {replicas: 1}
"""
FILES = {
    "compose.yaml": BASE,
    "compose.override.yaml": "services: {web: {environment: {A: override}}}",
    "compose.staging.yaml": "services: {web: {environment: {B: staging}, deploy: {replicas: 2}}}",
    ".env": "SECONDS_TO_SLEEP=1\nWHO=all\n",
    ".env.staging": "SECONDS_TO_SLEEP=2\n",
    ".env.production": "SECONDS_TO_SLEEP=3\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COMPOSE_FILE", raising=False)
    return tmp_path


def loaded(folder: Path, environment: str = "", **more: Any) -> app.Application:
    return app.load([folder], app.LoadOptions(environment=environment, home=folder / "home", **more))


def container(application: app.Application) -> dict[str, Any]:
    (one,) = [o for o in application.objects if o["kind"] == "Deployment"]
    found: dict[str, Any] = one["spec"]["template"]["spec"]["containers"][0]
    return {**found, "replicas": one["spec"]["replicas"], "env": {e["name"]: e["value"] for e in found["env"]}}


def label(application: app.Application) -> str | None:
    found: str | None = application.objects[0]["metadata"]["labels"].get(ENVIRONMENT)
    return found


def seconds(application: app.Application) -> str:
    one = container(application)
    return str([*one.get("command", ()), *one.get("args", ())][-1])


def test_plain_up_takes_the_override(folder: Path) -> None:
    found = loaded(folder)
    assert (container(found)["env"]["A"], container(found)["env"]["B"]) == ("override", "base")
    assert (seconds(found), found.taken, label(found)) == ("1", "compose.yaml, compose.override.yaml", None)


def test_an_environment_takes_its_own_files_over_the_base(folder: Path) -> None:
    found = loaded(folder, "staging")
    one = container(found)
    assert (one["env"]["A"], one["env"]["B"], one["replicas"], seconds(found)) == ("base", "staging", 2, "2")
    assert found.taken == "compose.yaml, compose.staging.yaml, .env, .env.staging"
    assert label(found) == "staging"
    assert {path.name for path in found.sources} >= {"compose.staging.yaml", ".env.staging"}


def test_variables_alone_are_enough(folder: Path) -> None:
    found = loaded(folder, "production")
    assert (seconds(found), container(found)["replicas"]) == ("3", 1)
    assert found.taken == "compose.yaml, .env, .env.production"


def test_files_that_are_named_are_the_base(folder: Path) -> None:
    (folder / "other.env").write_text("SECONDS_TO_SLEEP=9\n")
    found = loaded(folder, "staging", files=(folder / "compose.yaml",), env_files=(folder / "other.env",))
    assert (container(found)["env"]["B"], seconds(found)) == ("staging", "2")
    (folder / ".env.staging").unlink()
    found = loaded(folder, "staging", files=(folder / "compose.yaml",), env_files=(folder / "other.env",))
    assert (seconds(found), found.taken) == ("9", "compose.yaml, compose.staging.yaml, other.env")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ("stagin", "neither compose.stagin.yaml (or .yml) nor .env.stagin is there; there is production, staging"),
        ("../x", "expected letters, digits"),
    ],
)
def test_what_is_refused(folder: Path, environment: str, words: str) -> None:
    with pytest.raises(app.ApplicationError, match=re.escape(words)):
        loaded(folder, environment)


def test_manifests_have_no_environments(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    with pytest.raises(app.ApplicationError, match=r"--env staging: .*a\.yaml is a manifest"):
        loaded(tmp_path, "staging")
