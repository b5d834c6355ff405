"""The same without rights: as an ordinary user, and where every namespace is forbidden. In processes of their own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.node.runtimes.launching import PYTHON, processes

SOURCES = Path(__file__).parents[3] / "src"
NOBODY = 65534

STORY = """
import asyncio, json, os, sys
from pathlib import Path
from madang.node.networks import choice, claims
from madang.node.runtimes.host import HostRuntime
from madang.node.runtimes.runtime import Launch, Mount
from madang.ports.settings import Settings

async def story(folder):
    runtime = HostRuntime("story")
    ability = await runtime.probe()
    volume, source = folder / "volume", folder / "source"
    volume.mkdir(); source.mkdir()
    inside = "/madang-nowhere" if runtime.private_mounts else str(source / "data")
    def launch(id, script, *mounts):
        return Launch(id, folder / id, ["sh", "-c", script], {"PATH": "/usr/bin:/bin"}, str(source), folder / "log",
                      mounts=mounts)
    wanted = launch("good", f"echo kept > {inside}/file; exit 3", Mount(volume, inside))
    running = await runtime.start(wanted)
    ended = await runtime.wait(running, wanted.folder)
    outside = runtime.refuses(launch("bad", "true", Mount(volume, "/madang-nowhere")))
    other = runtime.refuses(Launch("u", folder, ["true"], {}, "/", folder / "log", user="1"))
    chosen = await choice.choose()
    claim = claims.hold(folder, chosen.network, folders=[folder / "claims"])
    network = choice.build(Settings("t", claim.id, folder, claim.addresses))
    await network.start()
    attachment = await network.attach("uid", "name")
    await network.stop(); claim.release(); runtime.close(sweep=True)
    return {"details": dict(ability.details), "code": ended.code, "message": ended.message, "outside": outside,
            "kept": (volume / "file").read_text(), "other": other, "network": chosen.network, "ip": attachment.ip,
            "bridge": chosen.abilities[0].why_not, "root": os.path.exists("/madang-nowhere")}

print(json.dumps(asyncio.run(story(Path(sys.argv[1])))))
"""


BECOMES_ROOT = """
import asyncio, json, os, signal, sys
from pathlib import Path
from madang.node.runtimes import confinement
from madang.node.runtimes.host import HostRuntime
from madang.node.runtimes.runtime import Launch, SignalRefused
from madang.ports.settings import Settings

CHANGE = "import os, time; os.setresgid(0, 0, 0); os.setresuid(0, 0, 0); print('up', flush=True); time.sleep(600)"

async def story(folder, program):
    runtime = HostRuntime("story", walls=confinement.NONE, limits=False)
    found = {"pids": [], "said": [], "codes": [], "messages": []}
    for id, argv in (("main", [program, "-c", CHANGE]),
                     ("child", ["sh", "-c", '"$0" -c "$1" & sleep 1', program, CHANGE])):
        wanted = Launch(id, folder / id, argv, {"PATH": "/usr/bin:/bin"}, "/", folder / f"{id}.log")
        running = await runtime.start(wanted)
        while not wanted.log.exists() or b"up" not in wanted.log.read_bytes():
            await asyncio.sleep(0.01)
        found["pids"].append(running.pid)
        if id == "main":
            for ask in (runtime.signal(running, signal.SIGTERM), runtime.kill(running)):
                try:
                    await ask
                except SignalRefused as refused:
                    found["said"].append(str(refused))
        ended = await asyncio.wait_for(runtime.wait(running, wanted.folder), 20)
        found["codes"].append(ended.code); found["messages"].append(ended.message)
    runtime.close()
    return found

print(json.dumps(asyncio.run(story(Path(sys.argv[1]), sys.argv[2]))))
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Reachable for everybody, with the sources in it."""
    folder = Path(tempfile.mkdtemp(prefix="madang-test-"))
    folder.chmod(0o777)
    shutil.copytree(
        SOURCES / "madang", folder / "src" / "madang", ignore=shutil.ignore_patterns("__pycache__", "*.json")
    )
    yield folder
    shutil.rmtree(folder)


def told(folder: Path, before: list[str], story: str = STORY, *words: str, **how: Any) -> dict[str, Any]:
    for python in (sys.executable, PYTHON):
        work = folder / "work"
        work.mkdir(exist_ok=True)
        work.chmod(0o777)
        env = {"PYTHONPATH": str(folder / "src"), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                [*before, python, "-c", story, str(work), *words],
                env=env, capture_output=True, text=True, cwd="/", check=False, **how,
            )  # fmt: skip
        except OSError:  # this Python is in a folder of root's
            continue
        if "Permission denied" in done.stderr and not done.stdout:
            continue
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found
    pytest.skip("there is no Python that another user may run")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_as_an_ordinary_user(open_folder: Path) -> None:
    story = told(open_folder, [], user=NOBODY, group=NOBODY, extra_groups=[])
    assert (story["code"], story["kept"], story["root"]) == (3, "kept\n", False), story
    assert story["details"]["walls"].startswith(("user namespace", "user and mount namespace", "none"))
    assert "unshare: Operation not permitted" in story["details"]["walls"]
    assert "memory watched, cpu not limited" in story["details"]["limits"]
    assert story["other"] == (
        "should run as user 1, and only root may become another user: here everything is user 65534"
    )
    assert story["network"] == "loopback" and story["ip"].startswith("127.")
    assert story["bridge"].startswith("needs root, or rights that are missing here: ")


def test_where_every_namespace_is_forbidden(open_folder: Path) -> None:
    forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set -all --inh-caps -all "$@"'
    before = ["unshare", "--user", "--map-root-user", "sh", "-c", forbid, "sh"]
    probe = subprocess.run([*before, "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"rights cannot be taken away here: {probe.stderr.strip()}")
    story = told(open_folder, before)
    assert (story["code"], story["kept"], story["root"]) == (3, "kept\n", False), story
    assert story["details"]["walls"].startswith("none (namespaces: ")
    assert story["details"]["mounts"].startswith("none: volumes only inside the pod's own folder")
    assert "mountPath /madang-nowhere lies outside the pod's folder" in story["outside"]
    assert story["network"] == "loopback"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a set-user-id program")
def test_a_program_that_has_become_root_is_given_up_with_a_word(open_folder: Path) -> None:
    """Where no namespace keeps it from that: signals are refused, and nothing asks for ever."""
    if os.statvfs(open_folder).f_flag & os.ST_NOSUID:
        pytest.skip(f"set-user-id programs do nothing in {open_folder}")
    if PYTHON == "python3":
        pytest.skip("there is no Python of the system's to make a set-user-id program of")
    program = open_folder / "becomes-root"
    shutil.copy(os.path.realpath(PYTHON), program)
    program.chmod(0o4755)
    try:
        found = told(
            open_folder, [], BECOMES_ROOT, str(program), user=NOBODY, group=NOBODY, extra_groups=[], timeout=60
        )
    finally:
        for pid in processes(str(program)):
            os.kill(pid, signal.SIGKILL)
    text = f"process {found['pids'][0]} has become user root and takes no signal from this courtyard"
    assert [said.split(":")[0] for said in found["said"]] == [text, text]
    assert found["codes"] == [137, 0]  # given up; and one whose first process ended by itself
    assert found["messages"][0].startswith(text)
