"""The scripts that start servers, with the real servers where this machine has them."""

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from madang.app.images import scripts
from madang.app.images.found import find, installed
from madang.app.images.table import TABLE
from tests.free_ports import free_port


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.image)
def test_scripts_are_shell(row: object) -> None:
    script = scripts.PLACE + row.script  # type: ignore[attr-defined]
    assert subprocess.run(["/bin/sh", "-n", "-c", script], check=False).returncode == 0


def started(script: str, tmp_path: Path, *args: str, **env: str) -> tuple[str, str]:
    """What the server is called with (`echo` stands for it), and what was said on stderr."""
    own = {
        "PATH": os.environ["PATH"],
        "MADANG_SERVER": "/bin/echo",
        "MADANG_DATA": str(tmp_path),
        "MADANG_PLACE": "/no",
    }
    argv = ["/bin/sh", "-c", scripts.PLACE + script, "x", *args]
    told = subprocess.run(argv, env={**own, **env}, capture_output=True, text=True, check=False)
    return told.stdout.strip(), told.stderr


def test_redis_takes_the_image_s_command(tmp_path: Path) -> None:
    usual = f"--dir {tmp_path} --bind * --protected-mode no --daemonize no"
    assert started(scripts.REDIS, tmp_path)[0] == usual
    assert started(scripts.REDIS, tmp_path, "redis-server", "--appendonly", "yes")[0] == f"--appendonly yes {usual}"
    assert "--bind 127.9.0.1 " in started(scripts.REDIS, tmp_path, HOST="127.9.0.1")[0]


def test_a_command_that_is_not_the_server_s_is_run_in_its_place(tmp_path: Path) -> None:
    assert started(scripts.REDIS, tmp_path, "sh", "-c", 'echo "$PWD"')[0] == str(tmp_path)
    assert started(scripts.POSTGRES, tmp_path, "echo", "hello")[0] == "hello"
    told = started(scripts.RABBITMQ, tmp_path, "sh", "-c", 'echo "$RABBITMQ_NODENAME $HOME"')[0]
    assert told == f"rabbit@localhost {tmp_path}"


@pytest.mark.skipif(shutil.which("flock") is None, reason="there is no flock on PATH")
def test_one_folder_has_one_writer(tmp_path: Path) -> None:
    with (tmp_path / ".madang-lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        out, said = started(scripts.REDIS.replace("-w 10", "-n"), tmp_path)
    assert out == "" and f"another instance works in {tmp_path}" in said


def rabbitmq(tmp_path: Path, **env: str) -> str:
    started(scripts.RABBITMQ, tmp_path, "rabbitmq-server", **env)
    return (tmp_path / ".madang" / "rabbitmq.conf").read_text()


def test_rabbitmq_has_the_plugins_of_its_tag(tmp_path: Path) -> None:
    assert "listeners" not in rabbitmq(tmp_path, MADANG_PLUGINS="rabbitmq_management")
    assert (tmp_path / ".madang" / "enabled_plugins").read_text() == "[rabbitmq_management].\n"
    shared = rabbitmq(tmp_path, MADANG_PLUGINS="rabbitmq_management", HOST="127.5.0.3")
    assert "listeners.tcp.1 = 127.5.0.3:5672" in shared and "management.tcp.ip = 127.5.0.3" in shared
    told = (tmp_path / ".madang" / "rabbitmq-env.conf").read_text()
    assert "ERL_EPMD_PORT=14598 RABBITMQ_DIST_PORT=19598" in told, "two on one machine would take each other's"


def test_rabbitmq_reads_the_service_s_own_files(tmp_path: Path) -> None:
    own = tmp_path / "theirs"
    (own / "conf.d").mkdir(parents=True)
    (own / "rabbitmq.conf").write_text(
        "listeners.tcp.default = 5673\nmanagement.tcp.ip = 0.0.0.0\n"
        "heartbeat = 9\nload_definitions = /etc/rabbitmq/all.json"
    )
    (own / "conf.d" / "more.conf").write_text("vm_memory_high_watermark.relative = 0.5\n")
    (own / "enabled_plugins").write_text("[rabbitmq_prometheus].\n")
    single = "".join(
        f"etc/rabbitmq/{name}={own}/{name}\n"
        for name in ("rabbitmq.conf", "conf.d/more.conf", "enabled_plugins", "all.json")
    )
    for files in (f"etc/rabbitmq={own}", single):
        alone = rabbitmq(tmp_path, MADANG_FILES=files)
        assert "listeners.tcp.default = 5673\n" in alone and "relative = 0.5" in alone
        assert f"load_definitions = {own}/all.json\n" in alone
        shared = rabbitmq(tmp_path, MADANG_FILES=files, HOST="127.5.0.3")
        assert "listeners.tcp.default = 127.5.0.3:5673\n" in shared and "heartbeat = 9" in shared
        assert "0.0.0.0" not in shared and "listeners.tcp.1" not in shared
        assert "prometheus.tcp.ip = 127.5.0.3" in shared and "management.tcp.ip" not in shared
        assert (tmp_path / ".madang" / "enabled_plugins").read_text() == "[rabbitmq_prometheus].\n"


def test_postgres_wants_a_password(tmp_path: Path) -> None:
    assert "POSTGRES_PASSWORD must be set" in started(scripts.POSTGRES, tmp_path)[1]


@contextmanager
def running(argv: list[str], env: dict[str, str], user: str | None) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(argv, env=env, user=user, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.send_signal(2)
        process.communicate(timeout=30)


@pytest.mark.slow
def test_postgres_starts_from_the_image_s_environment() -> None:
    row = next(r for r in TABLE if r.image == "postgres")
    if not installed(row) or not shutil.which("psql"):
        pytest.skip("this machine has no PostgreSQL server and psql")
    user = "nobody" if os.geteuid() == 0 else None  # the server refuses to run as root
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are closed to other users
        if user:
            os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        start_and_ask(Path(folder), user)


def start_and_ask(data: Path, user: str | None) -> None:
    found, port = find("postgres", True, data), free_port()
    env = {
        **found.program.env, "PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PGPORT": str(port), "LC_ALL": "C.UTF-8",
        "POSTGRES_PASSWORD": "secret", "POSTGRES_USER": "shop", "POSTGRES_DB": "orders",
    }  # fmt: skip
    ask = [
        "psql",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-U",
        "shop",
        "-d",
        "orders",
        "-Atc",
        "select current_database()",
    ]
    with running(list(found.program.entrypoint), env, user) as server:
        assert server.stdout is not None
        for line in server.stdout:
            if b"listening on IPv4" in line:
                break
        for _ in range(100):
            told = subprocess.run(ask, env={**env, "PGPASSWORD": "secret"}, capture_output=True, text=True, check=False)
            if "starting up" not in told.stderr:
                break
        assert told.stdout == "orders\n", told.stderr
        refused = subprocess.run([*ask, "-w"], env=env, capture_output=True, text=True, check=False)
        assert "no password supplied" in refused.stderr
