"""The same without root, in namespaces of one's own; and where namespaces are forbidden: everything on the loopback
network; nothing left behind.

As root an ordinary user (nobody) is tried by setpriv, with the interpreter and the package that this user can read;
as an ordinary user, oneself. Namespaces are forbidden by a seccomp filter.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import madang
from madang.node.runtimes.monitor.record import ticks
from tests.e2e.apps import get, write_app
from tests.e2e.conftest import Court
from tests.e2e.traces import control, id_of, keeper, kill, naming, serving, started, traces
from tests.free_ports import free_port

pytestmark = pytest.mark.e2e
FORBIDDEN = Path(__file__).with_name("forbidden.py")
SHOP = Path(__file__).resolve().parents[2] / "examples" / "shop"
NOBODY = 65534


@dataclass
class Person(Court):
    """A command line as another user, or under the filter, or both."""

    before: tuple[str, ...] = ()
    python: str = sys.executable
    path: str = ""

    @property
    def env(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k not in ("XDG_STATE_HOME", "XDG_CACHE_HOME")}
        return {
            **kept, "HOME": str(self.root), "MADANG_HOME": str(self.root), "MADANG_NAME": self.name, "NO_COLOR": "1",
            "PYTHONPATH": self.path or os.environ.get("PYTHONPATH", ""), "PATH": "/usr/local/bin:/usr/bin:/bin",
        }  # fmt: skip

    def run(
        self, *words: str, ok: bool = True, cwd: Path | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self.before, self.python, "-m", "madang.cli", *words],
            env=self.env, cwd=cwd or self.root, capture_output=True, text=True, timeout=110, input=stdin, check=False,
        )  # fmt: skip
        assert not ok or not done.returncode, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}\n{self.log()}"
        return done


@pytest.fixture(params=["ordinary user", "no namespaces", "ordinary user, no namespaces"])
def person(request: pytest.FixtureRequest) -> Iterator[Person]:
    root = Path(tempfile.mkdtemp(prefix="madang-", dir="/tmp"))
    try:
        made = dress(request.param, root)
        yield made
        made.run("down", "--purge")
        assert not made.home.exists()
    finally:
        shutil.rmtree(root)


def dress(kind: str, root: Path) -> Person:
    made = Person(f"u{os.getpid() % 100000}", root)
    if kind.startswith("ordinary") and os.getuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("there is no setpriv on PATH")
        user = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        os.chown(root, NOBODY, NOBODY)
        made.python, made.path = readable(user)
        made.before = user
    if kind.endswith("no namespaces"):
        copy = root / "forbidden.py"
        shutil.copy(FORBIDDEN, copy)
        tried = subprocess.run([sys.executable, str(copy), "true"], capture_output=True, check=False)
        if tried.returncode:
            pytest.skip("this machine has no seccomp filters")
        made.before = (*made.before, made.python, str(copy))
    return made


def readable(user: tuple[str, ...]) -> tuple[str, str]:
    """An interpreter and a PYTHONPATH that this user can read: ours, else the system's of the same version."""
    packages = [str(Path(madang.__file__).parents[1]), sysconfig.get_path("purelib")]
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        path = ":".join(packages)
        asked = [*user, "env", f"PYTHONPATH={path}", python, "-c", "import madang.cli.main, uvloop, psutil"]
        try:
            if subprocess.run(asked, capture_output=True, check=False, cwd="/").returncode == 0:
                return python, path
        except OSError:
            continue
    pytest.skip("an ordinary user can read no interpreter with our packages")


def own(folder: Path) -> Path:
    """The files belong to whoever runs them."""
    owner = folder.parent.stat()
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
    return folder


def test_an_application_without_rights(person: Person) -> None:
    port = free_port()
    here = own(
        write_app(
            person.root / "app",
            f"""
            front: {{build: ./program, ports: ["{port}:8000"], depends_on: [back]}}
            back: {{build: ./program, deploy: {{replicas: 2}}}}
            """,
        )
    )
    up = person.run("up", "--detach", cwd=here)
    assert "back: ready 2/2" in up.stdout and get(port) == "version 1"
    status = person.json("status")
    able = {a["name"]: a for a in status["machine"]["abilities"]}
    assert status["machine"]["network"] == ("bridge" if able["bridge"]["works"] else "loopback")
    assert able["bridge"]["works"] == lives_inside(person), f"it must be said why: {able['bridge']['why_not']}"
    id, before = id_of(person.home), started(person.home)
    kill(control(person.home))
    person.run("up", "--detach", cwd=here)
    assert started(person.home) == before and get(port) == "version 1"
    person.run("down")
    assert traces(id, person.home) == []
    again = person.run("up", "--detach", cwd=here)
    assert "front: ready" in again.stdout and get(port) == "version 1"


def lives_inside(person: Person) -> bool:
    """Whether this person may make a user namespace, and so has a network of one's own."""
    words = [*person.before, "unshare", "--user", "--map-root-user", "--net", "--mount", "true"]
    may = subprocess.run(words, capture_output=True, check=False).returncode == 0
    return may and "forbidden.py" not in " ".join(person.before) and (os.getuid() != 0 or "setpriv" in person.before)


def test_what_cannot_run_is_named(person: Person) -> None:
    port = free_port()
    here = own(
        write_app(
            person.root / "app",
            f"""
            a: {{build: ./program, environment: {{BIND: 127.0.0.1, PORT: "{port}"}}}}
            b: {{build: ./program, volumes: ["kept:/data"]}}
            """,
        )
    )
    (here / "compose.yaml").write_text((here / "compose.yaml").read_text() + "volumes: {kept: {}}\n")
    up = person.run("up", "--detach", "--timeout", "4", cwd=here, ok=False)
    assert up.returncode == 1 and "Traceback" not in up.stderr + up.stdout
    assert "a: starting: 0/1" in up.stdout and f"listens on 127.0.0.1:{port}" in up.stdout
    inside = lives_inside(person)
    assert ("but should on 0.0.0.0:8000" if inside else "listen on $HOST:$PORT") in up.stdout
    allowed = next(a for a in person.json("status")["machine"]["abilities"] if a["name"] == "host")
    assert allowed["works"]
    if any("forbidden.py" in word for word in person.before):
        assert "b: starting: 0/1: CreateContainerError: mountPath /data lies outside the pod's folder" in up.stdout
        assert "mount below" in up.stdout and "run as root or where user namespaces are allowed" in up.stdout
    else:
        assert "b: ready" in up.stdout
    if inside:
        return
    refused = person.run("up", "--detach", "--name", "other", "--network", "bridge", ok=False)
    assert refused.returncode == 1 and "the bridge network cannot work here: " in refused.stderr
    assert "Traceback" not in refused.stderr and "Errno" not in refused.stderr
    person.run("down", "--name", "other", "--purge")


@pytest.fixture
def inside() -> Iterator[Person]:
    root = Path(tempfile.mkdtemp(prefix="madang-", dir="/tmp"))
    try:
        made = dress("ordinary user", root)
        if not lives_inside(made):
            pytest.skip("an ordinary user can make no user namespace here")
        yield made
        made.run("down", "--purge")
        assert not made.home.exists()
    finally:
        shutil.rmtree(root)


def test_inside_everybody_has_an_address_and_any_port(inside: Person) -> None:
    """Two programs of one port, each in a network of its own, as who they are outside; what is killed comes back."""
    ports = [free_port(), free_port()]
    text = """
        a: {build: ./program, ports: ["%s:8000"], deploy: {resources: {limits: {cpus: "0.5"}}}}
        b: {build: ./program, ports: ["%s:8000"], deploy: {replicas: 2}}
        """ % tuple(ports)  # noqa: UP031
    here = own(write_app(inside.root / "app", text))
    inside.run("up", "--detach", "--nodes", "2", cwd=here)
    assert [get(port) for port in ports] == ["version 1"] * 2
    across(inside)
    able = {a["name"]: a for a in inside.json("status")["machine"]["abilities"]}
    assert able["without root"]["works"] and able["without root"]["details"]["way out"]
    pod = inside.run("kubectl", "get", "pods", "-o", "name").stdout.split()[0]
    who = inside.run("kubectl", "exec", pod, "--", "id", "-u").stdout.strip()
    assert int(who) == inside.root.stat().st_uid, "a program is no root because its network is one's own"
    assert able["dns"]["works"], able["dns"]["why_not"]
    asked = inside.run("kubectl", "exec", pod, "--", "getent", "ahostsv4", "192-0-2-7.default.pod.cluster.local")
    assert asked.stdout.split()[0] == "192.0.2.7"
    if "cgroup" not in able["host"]["details"]["limits"].split("(")[0]:
        told = inside.run("kubectl", "get", "events", "-A", "-o", "jsonpath={.items[*].message}").stdout
        assert "limits.cpu 500m cannot hold" in told
    id, before = id_of(inside.home), started(inside.home)
    run = inside.home / "run"
    way = json.loads((run / "porch.json").read_text())["pid"] if (run / "porch.json").exists() else 0
    for pid, words in naming(str(run)):
        if "madang.porch.house" in words:
            kill(pid)
    kill(control(inside.home))
    kill(keeper(inside.home))
    assert [get(port) for port in ports] == ["version 1"] * 2
    inside.run("up", "--detach", cwd=here)
    assert [get(port) for port in ports] == ["version 1"] * 2 and started(inside.home) == before
    inside.run("down")
    assert traces(id, inside.home) == [] and (not way or ticks(way) is None)


def across(inside: Person) -> None:
    """Pods of both nodes reach one another, each from the network of its own node."""
    pods = json.loads(inside.run("kubectl", "get", "pods", "-o", "json").stdout)["items"]
    by_node = {pod["spec"]["nodeName"]: pod for pod in pods}
    assert sorted(by_node) == ["node-1", "node-2"]
    assert len({pod["status"]["hostIP"] for pod in by_node.values()}) == 2
    for here, there in (("node-1", "node-2"), ("node-2", "node-1")):
        ask = "import sys, urllib.request as u; print(u.urlopen(f'http://{sys.argv[1]}:8000', timeout=5).status)"
        name, ip = by_node[here]["metadata"]["name"], by_node[there]["status"]["podIP"]
        assert inside.run("kubectl", "exec", name, "--", "python3", "-c", ask, ip).stdout == "200\n"


def test_inside_where_all_that_led_in_is_killed(inside: Person) -> None:
    """Nothing is left to reach the programs by: they are started anew."""
    port = free_port()
    here = own(write_app(inside.root / "app", f'a: {{build: ./program, ports: ["{port}:8000"]}}'))
    inside.run("up", "--detach", cwd=here)
    id, before = id_of(inside.home), started(inside.home)
    leading = [pid for pid, words in naming(str(inside.home / "run")) if "madang.porch.house" in words]
    for pid in (*leading, control(inside.home), keeper(inside.home), serving(inside.home)):
        os.kill(pid, signal.SIGSTOP)  # or one would bring another back
    for pid in (*leading, control(inside.home), keeper(inside.home), serving(inside.home)):
        kill(pid)
    inside.run("up", "--detach", cwd=here)
    assert get(port) == "version 1" and not set(started(inside.home)) & set(before)
    inside.run("down")
    assert traces(id, inside.home) == []


def test_the_shop_without_namespaces(court: Court, tmp_path: Path) -> None:
    """With the environments of whoever runs the tests."""
    port = free_port()
    shop = tmp_path / "shop"
    shutil.copytree(SHOP, shop)
    up = subprocess.run(
        [sys.executable, str(FORBIDDEN), sys.executable, "-m", "madang.cli", "up", "--detach"],
        env={**court.env, "SHOP_PORT": str(port)}, cwd=shop, capture_output=True, text=True, timeout=115, check=False,
    )  # fmt: skip
    if up.returncode and "the filter cannot be set here" in up.stderr:
        pytest.skip("this machine has no seccomp filters")
    assert up.returncode == 0, up.stdout + up.stderr
    assert court.json("status")["machine"]["network"] == "loopback"
    assert "Celadon bowl" in get(port)


def test_backup_and_restore(person: Person) -> None:
    port = free_port()
    place = person.root / "app"
    service = f'build: ./program, ports: ["{port}:8000"], environment: {{DATA: /app/data}}, volumes: ["v:/app/data"]'
    write_app(place, f"a: {{{service}}}")
    with (place / "compose.yaml").open("a") as file:
        file.write("volumes:\n  v: {}\n")
    own(place)
    person.run("up", "--detach", cwd=place)
    volume = next((person.home / "volumes").glob("*/v"))
    (volume / "word").write_text("old")
    said = person.run("backup", str(person.root / "b.tar.gz")).stdout
    assert "stood still for" in said
    (volume / "word").write_text("new")
    person.run("restore", str(person.root / "b.tar.gz"), "--yes")
    assert (volume / "word").read_text() == "old" and get(port) == "version 1"
