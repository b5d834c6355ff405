"""What becomes of objects, beside recordings of a real Kubernetes cluster: they may differ in times alone.

The recordings lie beside the checkout (`../shared/corpus/stories`) or where MADANG_CORPUS says. All stories are
told at once to two courtyards, to one as programs of this machine and to one in containers; `stories.py` compares.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import Court, courtyard
from tests.e2e.images import TINY, bring
from tests.e2e.stories import Story, compared

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get("MADANG_CORPUS") or ROOT.parent / "shared" / "corpus") / "stories"
NAMES = sorted(path.stem for path in CORPUS.glob("*.json"))
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(not NAMES, reason=f"no recorded stories at {CORPUS} (MADANG_CORPUS says where the corpus lies)"),
]


RUNTIMES = {"programs": "madang.dev/host", "containers": TINY}


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
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Told | str]]:
    """By runtime: what was recorded, or why nothing could be."""
    root = tmp_path_factory.mktemp("told")
    with ExitStack() as open_ones:
        courts = {runtime: open_ones.enter_context(courtyard(root / runtime)) for runtime in RUNTIMES}
        with ThreadPoolExecutor() as pool:
            yield dict(zip(courts, pool.map(tell, courts, courts.values()), strict=True))


def tell(runtime: str, court: Court) -> Told | str:
    folder = court.home.parent / "stories"
    folder.mkdir(parents=True)
    if runtime == "containers":
        try:
            bring(court.home, folder.parent, Entrypoint=[], Cmd=["sh"])
        except pytest.skip.Exception as why:
            return str(why)
    court.run("up", "--detach", cwd=folder)
    able = {a["name"]: a for a in court.json("status")["machine"]["abilities"]}
    if runtime == "containers" and not able["container"]["works"]:
        return f"no containers here: {able['container']['details']}"
    config = yaml.safe_load(court.run("kubeconfig", "--raw").stdout)
    server, token = config["clusters"][0]["cluster"]["server"], config["users"][0]["user"]["token"]
    teller = Path(__file__).with_name("storyteller.py")
    done = subprocess.run(
        [sys.executable, teller, CORPUS / "record.py", folder, server, token, RUNTIMES[runtime]],
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    said = (done.stdout + done.stderr)[-3000:]
    assert done.returncode == 0, said
    return Told(folder, json.loads((folder / "absent.json").read_text()), said, able["host"]["details"]["mounts"])


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", NAMES)
def test_the_same_but_for_time(told: Mapping[str, Told | str], name: str, runtime: str) -> None:
    here = told[runtime]
    if isinstance(here, str):
        pytest.skip(here)
    if name in here.absent:
        pytest.skip("a kind of this story isn't here")
    want = json.loads((CORPUS / f"{name}.json").read_text())
    if here.mounts != "private" and runtime == "programs" and "volumeMounts" in json.dumps(want["objects"]):
        pytest.skip(f"private mounts: {here.mounts}")
    assert "\n".join(compared(want, here.story(name))) == ""
