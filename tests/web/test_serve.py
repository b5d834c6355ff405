"""The door before anybody came: a socket, nothing loaded; its port is kept."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from madang.ports.clock import SystemClock
from madang.web.serve import serve
from madang.web.sources import Sources
from tests.api.house import house
from tests.web import things

LOADED = """
import sys
import madang.web.serve
heavy = [name for name in ("jinja2", "madang.web.app", "madang.web.fragments") if name in sys.modules]
sys.exit(f"loaded before anybody came: {heavy}" if heavy else 0)
"""


def test_nothing_is_loaded_before_somebody_comes() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_port_is_kept_and_given_up_where_somebody_else_has_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with house() as api:
            sources = Sources(api, SystemClock(), lambda: things.RECORD)
            async with serve(sources, tmp_path) as first:
                pass
            async with serve(sources, tmp_path) as again:
                assert again == first
                async with httpx.AsyncClient() as client:
                    assert (await client.get(again)).status_code == 401
                    assert (await client.get(again + "static/madang.css")).status_code == 200
                    assert (await client.get(again + "static/..%2Fapp.py")).status_code == 404
            port = int(first.split(":")[2].partition("/")[0])
            with socket.create_server(("127.0.0.1", port)):
                async with serve(sources, tmp_path) as other:
                    assert other != first and other.rpartition(":")[2] != first.rpartition(":")[2]

    asyncio.run(story())


def test_closes_while_a_page_is_open(tmp_path: Path) -> None:
    """An open stream ends with the door, and does not hold it up."""
    from madang.web.keys import Keys

    async def story() -> None:
        async with house() as api, httpx.AsyncClient() as client:
            async with serve(Sources(api, SystemClock(), lambda: things.RECORD), tmp_path) as url:
                session = Keys.at(tmp_path).session(SystemClock().now_s())
                request = client.build_request("GET", url + "live", headers={"cookie": f"madang={session}"})
                answer = await client.send(request, stream=True)
                assert answer.headers["content-type"].startswith("text/event-stream")
                text = answer.aiter_text()
                while "event: top" not in await anext(text):
                    pass
            assert "".join([part async for part in text]) is not None
            await answer.aclose()

    asyncio.run(story())
