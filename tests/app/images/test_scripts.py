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
from madang.app.images.table import TABLE, find, installed


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.image)
def test_scripts_are_shell(row: object) -> None:
    script = scripts.PLACE + row.script  # type: ignore[attr-defined]
    assert subprocess.run(["/bin/sh", "-n", "-c", script], check=False).returncode == 0


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
