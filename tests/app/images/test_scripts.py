"""The scripts that start servers, with the real servers where this machine has them."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from madang.app.images import scripts
from madang.app.images.found import find, installed
from madang.app.images.table import TABLE


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


def test_nginx_gets_a_configuration_unless_it_has_one(tmp_path: Path) -> None:
    made = started(scripts.NGINX, tmp_path, "nginx", "-g", "daemon off;", PORT="8080")[0]
    assert made == f"-c {tmp_path}/nginx.conf -g daemon off;"
    assert "listen 0.0.0.0:8080" in (tmp_path / "nginx.conf").read_text()
    own = started(scripts.NGINX, tmp_path, MADANG_OWN_CONFIGURATION="1")[0]
    assert own == "-c /etc/nginx/nginx.conf -g daemon off;"


def test_rabbitmq_hears_its_variables(tmp_path: Path) -> None:
    started(
        scripts.RABBITMQ, tmp_path, "rabbitmq-server", RABBITMQ_DEFAULT_USER="me", MADANG_PLUGINS="rabbitmq_management"
    )
    text = (tmp_path / "rabbitmq.conf").read_text()
    assert "default_user = me" in text and "default_pass = guest" in text
    assert (tmp_path / "plugins").read_text() == "[rabbitmq_management].\n"


def test_postgres_wants_a_password(tmp_path: Path) -> None:
    assert "POSTGRES_PASSWORD must be set" in started(scripts.POSTGRES, tmp_path)[1]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


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
