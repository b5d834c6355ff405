"""The shop's own tests, each service by itself, as its developers would run them; and what its load says."""

import asyncio
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SHOP = Path(__file__).resolve().parents[2] / "examples" / "shop"
SERVICES = sorted(p.parent.name for p in SHOP.glob("*/tests"))


@pytest.mark.parametrize("service", SERVICES)
def test_service(service: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", ".", "tests"],
        cwd=SHOP / service, env={**os.environ, "PYTHONPATH": ".", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("shop_load", SHOP / "load.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_load_counts_failures_and_never_retries(load: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    asked = 0

    async def shop() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal asked
            await reader.readuntil(b"\r\n\r\n")
            asked += 1
            status = b"200 OK" if asked % 2 else b"500 No"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        shopper = load.Shopper(f"http://127.0.0.1:{port}", seed=1)
        shopper.report(await shopper.shop(rate=100, seconds=0.2))
        server.close()
        await server.wait_closed()

    asyncio.run(shop())
    assert asked == 20, "each visit is one request"
    assert "20 requests" in (shown := capsys.readouterr().out) and "10 failed" in shown
