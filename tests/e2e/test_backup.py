"""A courtyard is taken into a file while people shop, and put back: orders placed before are there, later ones not."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from madang.node.runtimes.monitor.limits import stat_fields
from tests.e2e.apps import bring, get, write_app
from tests.e2e.conftest import Court, courtyard
from tests.e2e.traces import control, kill, started
from tests.free_ports import free_port

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def shop(tmp_path: Path, port: int) -> Path:
    place = tmp_path / "shop"
    shutil.copytree(ROOT / "examples" / "shop", place)
    compose = place / "compose.yaml"
    compose.write_text(compose.read_text().replace('"${SHOP_PORT:-8080}:8000"', f'"{port}:8000"'))
    return place


def buy(port: int) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/buy", b'{"product": 1, "quantity": 1}', {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.loads(answer.read())["id"])


def orders(home: Path) -> set[str]:
    with closing(sqlite3.connect(f"file:{home}/volumes/shop/orders/orders.db?mode=ro", uri=True)) as database:
        return {str(row[0]) for row in database.execute("SELECT * FROM placed")}


def newest(court: Court) -> int:
    return int(json.loads(court.kubectl("get", "--raw", "/api/v1/namespaces"))["metadata"]["resourceVersion"])


@contextmanager
def people(port: int) -> Iterator[list[str]]:
    """GET the page all the time; what failed is listed."""
    failed: list[str] = []
    over, asked = threading.Event(), [0]

    def look() -> None:
        while not over.is_set():
            asked[0] += 1
            try:
                get(port)
            except OSError as error:
                failed.append(str(error))

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        yield failed
    finally:
        over.set()
        for looker in lookers:
            looker.join()
    assert asked[0] > 10


def test_the_shop_is_taken_under_load_and_put_back(court: Court, shop: Path, port: int, tmp_path: Path) -> None:
    court.run("up", str(shop), "--detach")
    first, file = buy(port), tmp_path / "shop.tar.gz"
    with people(port) as failed:
        told = court.run("backup", str(file)).stdout
    assert failed == [], "nobody who only looks notices"
    assert "shop/orders" in told and "stood still for" in told and "longest pause" in told
    assert file.stat().st_mode & 0o777 == 0o600 and list(court.home.glob("backup-*")) == []
    later = buy(port)
    assert {first, later} <= orders(court.home)
    revision = newest(court)

    refused = court.run("restore", str(file), ok=False)
    assert refused.returncode == 2 and "say --yes" in refused.stderr
    court.run("restore", str(file), "--yes")
    assert first in orders(court.home) and later not in orders(court.home)
    assert "Celadon bowl" in get(port)
    assert newest(court) > revision
    assert [name for name in court.neighbours if not name.startswith("shop")] == [court.name]
    third = buy(port)
    assert {first, third} <= orders(court.home)


def test_another_courtyard_from_the_same_file(court: Court, tmp_path: Path) -> None:
    port, file = free_port(), tmp_path / "a.tar.gz"
    write_app(tmp_path, f'a: {{build: ./program, ports: ["{port}:8000"], volumes: ["v:/data"]}}\nvolumes:\n  v: {{}}')
    text = (tmp_path / "compose.yaml").read_text().replace("  volumes:\n    v:", "volumes:\n  v:")
    (tmp_path / "compose.yaml").write_text(text)
    court.run("up", "--detach", cwd=tmp_path)
    volume = next((court.home / "volumes").glob("*/v"))
    (volume / "kept").write_text("kept")
    court.run("backup", str(file))
    court.run("down", "--purge")
    with courtyard(tmp_path / "elsewhere") as other:
        other.run("restore", str(file))
        assert get(port) == "version 1"
        (found,) = (other.home / "volumes").glob("*/v")
        assert (found / "kept").read_text() == "kept"
        paths = other.kubectl("get", "pods", "-A", "-o", "jsonpath={..hostPath.path}")
        assert str(other.home) in paths and str(court.home) not in paths
        with pytest.raises(AssertionError, match="exists already"):
            other.run("backup", str(file))
        other.run("down")
        other.run("backup", str(tmp_path / "resting.tar.gz"))  # one that is down, too


def test_wrong_files_change_nothing(court: Court, tmp_path: Path) -> None:
    port, file = free_port(), tmp_path / "a.tar.gz"
    write_app(tmp_path, f'a: {{build: ./program, ports: ["{port}:8000"]}}')
    court.run("up", "--detach", cwd=tmp_path)
    court.run("backup", str(file))
    before = started(court.home)
    whole = file.read_bytes()
    for name, data, reason in (
        ("none", b"hello", "is no backup of a courtyard"),
        ("cut", whole[: len(whole) // 2], "is damaged or was cut short"),
        ("flipped", whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:], "is damaged"),
    ):
        (tmp_path / name).write_bytes(data)
        refused = court.run("restore", str(tmp_path / name), "--yes", ok=False)
        assert refused.returncode == 1 and reason in refused.stderr and "nothing was changed" in refused.stderr, name
    assert started(court.home) == before and get(port) == "version 1"
    assert court.neighbours == [court.name]


def test_a_backup_that_is_killed_lets_everybody_go_on(court: Court, tmp_path: Path) -> None:
    """While pods stand still: the courtyard hears its caller hang up; where it is killed too, the next start helps."""
    port = bring(court, tmp_path)
    (uid,) = {Path(path).relative_to(court.home / "pods").parts[0] for path in started(court.home).values()}
    for control_too in (False, True):
        with holding(court, uid) as caller:
            assert b"T" in states(court)
            if control_too:
                kill(control(court.home))
            caller.send_signal(signal.SIGKILL)
        if control_too:
            assert b"T" in states(court)
            court.run("up", "--detach", cwd=tmp_path)
        deadline = monotonic() + 20
        while b"T" in states(court) and monotonic() < deadline:
            sleep(0.01)
        assert b"T" not in states(court) and get(port) == "version 1"
        restarts = court.kubectl("get", "pods", "-A", "-o", "jsonpath={..restartCount}")
        assert restarts == "0" and len(started(court.home)) == 2


def test_a_restore_that_is_killed_leaves_the_one_or_the_other(court: Court, tmp_path: Path) -> None:
    """At moments spread over all of it: objects and volumes are of one time, and `up` goes on with them."""
    port, file = free_port(), tmp_path / "a.tar.gz"
    write_app(tmp_path, f'a: {{build: ./program, ports: ["{port}:8000"]}}')
    court.run("up", "--detach", cwd=tmp_path)
    mark(court, "old")
    court.run("backup", str(file))
    seen = set()
    for delay_s in (0.2, 0.6, 0.9, 1.2, 1.6, 2.2, 3.0):
        mark(court, "new")
        words = [sys.executable, "-m", "madang.cli", "restore", str(file), "--yes"]
        with subprocess.Popen(words, env=court.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as restore:
            sleep(delay_s)
            restore.kill()
        court.run("up", "--detach", cwd=tmp_path)
        seen.add(marked(court))
        assert get(port) == "version 1"
    assert "new" in seen, "none was killed in time"
    court.run("restore", str(file), "--yes")
    assert marked(court) == "old"
    left = [name for name in court.neighbours if name != court.name]
    assert all(name.startswith(f".{court.name}.before-") for name in left), left


def mark(court: Court, word: str) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mark", "namespace": "default"}}
    court.kubectl("apply", "-f", "-", stdin=json.dumps({**manifest, "data": {"word": word}}))
    volume = court.home / "volumes" / "p" / "v"
    volume.mkdir(parents=True, exist_ok=True)
    (volume / "word").write_text(word)


def marked(court: Court) -> str:
    word = court.kubectl("get", "configmap", "mark", "-n", "default", "-o", "jsonpath={.data.word}")
    assert (court.home / "volumes" / "p" / "v" / "word").read_text() == word, "a mix of two times"
    return word


HOLD = """
import sys
from pathlib import Path
from madang.courtyard.backup.asking import house
with house(Path(sys.argv[1]), runs=True) as court, court.pause([sys.argv[2]]):
    print("still", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holding(court: Court, uid: str) -> Iterator["subprocess.Popen[bytes]"]:
    caller = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(court.home), uid], env=court.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with caller:
        assert caller.stdout is not None and caller.stdout.readline() == b"still\n"
        yield caller


def states(court: Court) -> set[bytes]:
    fields: list[Any] = [stat_fields(pid) for pid, _ in started(court.home)]
    return {field[0] for field in fields if field}


def test_a_full_disk_leaves_the_old_and_no_half(small_disk: Path, court: Court, tmp_path: Path) -> None:
    port, file = free_port(), tmp_path / "a.tar.gz"
    write_app(tmp_path, f'a: {{build: ./program, ports: ["{port}:8000"]}}')
    court.run("up", "--detach", cwd=tmp_path)
    volume = court.home / "volumes" / "p" / "v"
    volume.mkdir(parents=True)
    (volume / "big").write_bytes(os.urandom(9 << 20))
    court.run("backup", str(file))
    (small_disk / "ballast").write_bytes(b"x" * (os.statvfs(small_disk).f_bavail * 4096 - (4 << 20)))
    before = started(court.home)
    for words in (("backup", str(tmp_path / "b.tar.gz")), ("restore", str(file), "--yes")):
        refused = court.run(*words, ok=False)
        assert refused.returncode == 1 and "the disk is full" in refused.stderr, refused.stderr
        assert "Traceback" not in refused.stderr
    assert started(court.home) == before and get(port) == "version 1"
    assert not (tmp_path / "b.tar.gz").exists() and list(court.home.glob("backup-*")) == []
    assert court.neighbours == sorted(["ballast", court.name])
    (small_disk / "ballast").unlink()
    court.run("restore", str(file), "--yes")
    assert get(port) == "version 1" and (volume / "big").stat().st_size == 9 << 20
