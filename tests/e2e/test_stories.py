"""What becomes of objects, beside recordings of a real Kubernetes cluster: they may differ in times alone.

The recordings lie beside the checkout (`../shared/corpus/stories`) or where MADANG_CORPUS says. All stories are told at
once to one courtyard; `stories.py` compares.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import Court
from tests.e2e.stories import Story, compared

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get("MADANG_CORPUS") or ROOT.parent / "shared" / "corpus") / "stories"
NAMES = sorted(path.stem for path in CORPUS.glob("*.json"))
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(not NAMES, reason=f"no recorded stories at {CORPUS} (MADANG_CORPUS says where the corpus lies)"),
]


@dataclass(frozen=True)
class Told:
    folder: Path
    absent: list[str]
    said: str
    mounts: str  # what the machine allows

    def story(self, name: str) -> Story:
        path = self.folder / f"{name}.json"
        assert path.exists(), f"could not be recorded:\n{self.said}"
        story: Story = json.loads(path.read_text())
        return story


@pytest.fixture(scope="module")
def told(shared_court: Court, tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("stories")
    config = yaml.safe_load(shared_court.run("kubeconfig", "--raw").stdout)
    server, token = config["clusters"][0]["cluster"]["server"], config["users"][0]["user"]["token"]
    teller = Path(__file__).with_name("storyteller.py")
    done = subprocess.run(
        [sys.executable, str(teller), str(CORPUS / "record.py"), str(folder), server, token],
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    said = (done.stdout + done.stderr)[-3000:]
    assert done.returncode == 0, said
    host = next(a for a in shared_court.json("status")["machine"]["abilities"] if a["name"] == "host")
    return Told(folder, json.loads((folder / "absent.json").read_text()), said, host["details"]["mounts"])


@pytest.mark.parametrize("name", NAMES)
def test_the_same_but_for_time(told: Told, name: str) -> None:
    if name in told.absent:
        pytest.skip("a kind of this story isn't here")
    want = json.loads((CORPUS / f"{name}.json").read_text())
    if told.mounts != "private" and "volumeMounts" in json.dumps(want["objects"]):
        pytest.skip(f"private mounts: {told.mounts}")
    assert "\n".join(compared(want, told.story(name))) == ""
