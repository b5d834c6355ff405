"""Conversations recorded with a real Kubernetes API server, played against a courtyard: what differs is known.

The recordings lie beside the checkout (`../shared/corpus/transcripts`) or where MADANG_CORPUS says;
`docs/conversations.toml` lists what differs and why.
"""

import importlib.util
import json
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from madang.kinds.absent import RESOURCES
from madang.kinds.table import REVIEWS, SERVED
from tests.e2e.conftest import Court

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get("MADANG_CORPUS") or ROOT.parent / "shared" / "corpus") / "transcripts"
KNOWN = ROOT / "docs" / "conversations.toml"
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CORPUS / "replay.py").exists(),
        reason=f"no recorded conversations at {CORPUS} (MADANG_CORPUS says where the corpus lies)",
    ),
]
PARTS = ("status", "type", "body", "warning")


@dataclass
class Heard:
    """What was answered, on which network. `differing`: a step -> the places at which its answer differs."""

    network: str
    total: int = 0
    differing: dict[str, list[str]] = field(default_factory=dict)
    resources: list[tuple[str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)


@dataclass(frozen=True)
class Known:
    why: str
    at: tuple[str, ...]
    sometimes: bool

    def covers(self, place: str) -> bool:
        return not self.at or place.startswith(self.at)


@pytest.fixture(scope="module")
def heard(shared_court: Court) -> Heard:
    replay = loaded(CORPUS / "replay.py")
    config = yaml.safe_load(shared_court.run("kubeconfig", "--raw").stdout)
    server = config["clusters"][0]["cluster"]["server"]
    client = replay.Client(server, config["users"][0]["user"]["token"])
    return listened(replay, client, shared_court.json("status")["machine"]["network"])


def loaded(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("madang_replay", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def listened(replay: Any, client: Any, network: str) -> Heard:
    found = Heard(network)
    for path in sorted(CORPUS.glob("*.json")):
        steps = [hurried(step) for step in json.loads(path.read_text())]
        for step, answer in replay.play(client, steps):
            if step.get("setup"):
                continue
            found.total += 1
            name, want = f"{path.stem}: {step['name']}", step["answer"]
            pair = ({part: said.get(part) for part in PARTS} for said in (want, answer))
            places = [at for at, _, _ in replay.differences(*pair, "", tuple(step.get("ignore", ())))]
            if places:
                found.differing[name] = places
            if want["status"] == answer["status"] == 200 and "resources" in want["body"]:
                found.resources.append((name, want["body"], answer["body"]))
    return found


def hurried(step: dict[str, Any]) -> dict[str, Any]:
    """Nothing is gained by asking again for ten seconds for a kind that isn't here. The player leaves the closing of
    its connections to the server."""
    kept = {k: v for k, v in step.items() if k != "retry" or "/apis/tr.example" not in step["path"]}
    return {**kept, "headers": {**step.get("headers", {}), "Connection": "close"}}


def known(network: str) -> dict[str, Known]:
    rows = [r for r in tomllib.loads(KNOWN.read_text())["differences"] if r.get("network", network) == network]
    return {
        step: Known(row["why"], tuple(row.get("at", ())), row.get("sometimes", False))
        for row in rows
        for step in row["steps"]
    }


def test_nothing_differs_but_what_is_known(heard: Heard) -> None:
    listed = known(heard.network)
    found = {
        step: [p for p in places if not (step in listed and listed[step].covers(p))]
        for step, places in heard.differing.items()
    }
    assert {step: places for step, places in found.items() if places} == {}
    healed = {step for step, row in listed.items() if not row.sometimes} - set(heard.differing)
    assert healed == set(), f"the same by now: take them out of {KNOWN.name}, then run ./dev docs"
    assert heard.total == 381


def test_discovery_describes_each_resource_as_recorded(heard: Heard) -> None:
    assert len(heard.resources) >= 12
    for name, want, got in heard.resources:
        recorded = {r["name"]: r for r in want["resources"]}
        for resource in got["resources"]:
            there = dict(recorded[resource["name"]])
            assert ("storageVersionHash" in resource) == ("storageVersionHash" in there), name
            assert {**resource, "storageVersionHash": ""} == {**there, "storageVersionHash": ""}, name


def test_what_is_absent_is_listed() -> None:
    """What a real server's discovery names is here or in the list of what isn't."""
    here = {
        (s.api_version, name)
        for s in (*SERVED, *REVIEWS)
        for name in (s.kind.plural, *(f"{s.kind.plural}/{sub.name}" for sub in s.kind.subresources))
    }
    absent = {(group, name) for group, names in RESOURCES.items() for name in names}
    answers = [step["answer"]["body"] for step in json.loads((CORPUS / "discovery.json").read_text())]
    lists = [body for body in answers if isinstance(body, dict) and "resources" in body]
    recorded = {(body["groupVersion"], resource["name"]) for body in lists for resource in body["resources"]}
    assert here & absent == set()
    assert recorded - here == absent
