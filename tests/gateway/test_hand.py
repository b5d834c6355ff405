"""The hand against a real HAProxy and real instances: live changes, takeovers, deaths, adoption, the end."""

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from madang.gateway import large
from madang.gateway.desired import Backend, Bind, Desired, Door, Filter, Frontend, Server
from madang.gateway.generations import SETTLED
from madang.haproxy import admin
from tests.gateway.conftest import OWNER, Instance, bind, new_hand, running
from tests.gateway.load import Result, get, keep_asking, until

Start = Callable[..., Instance]


def server(instance: Instance) -> Server:
    return Server(f"{instance.name}:127.0.0.1:{instance.port}", "127.0.0.1", instance.port)


def serving(at: Bind, *instances: Instance, mode: str = "http") -> Desired:
    servers = tuple(server(i) for i in instances)
    backends = [Backend("default:web:80", "tcp" if mode == "tcp" else "http", servers)]
    if mode == "sniff":
        backends.append(Backend("default:web:80:tcp", "tcp", servers))
    return Desired((Frontend("default:web:80", mode, (at,), "default:web:80"),), (), tuple(backends))  # type: ignore[arg-type]


def test_instances_change_without_a_new_process(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, two, at = start("one"), start("two"), bind()
        async with running(tmp_path, program) as hand:
            assert (await hand.apply(serving(at))).reloaded
            assert (await get(at.port))[0] == "503"
            pid = hand.worker_pid
            assert not (await hand.apply(serving(at, one))).reloaded
            assert (await get(at.port))[2].startswith(b"one GET /")
            await hand.apply(serving(at, two))
            assert (await get(at.port))[2].startswith(b"two GET /")
            await hand.apply(serving(at, one, two))
            assert {(await get(at.port))[2][:3] for _ in range(8)} == {b"one", b"two"}
            assert hand.worker_pid == pid

    asyncio.run(story())


def test_killed_instance_fails_no_get(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, two, at, result = start("one"), start("two"), bind(), Result()
        async with running(tmp_path, program) as hand:
            await hand.apply(serving(at, one, two))
            load = asyncio.create_task(keep_asking(at.port, 300, 2, result))
            await until(lambda: result.instances["one"] > 50)
            one.kill()
            await load
            assert result.statuses == {"200": 600}

    asyncio.run(story())


def test_takeover_fails_nothing_and_keeps_what_is_under_way(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, at, result = start("one"), bind(), Result()
        async with running(tmp_path, program) as hand:
            await hand.apply(serving(at, one))
            first = hand.worker_pid
            load = asyncio.create_task(keep_asking(at.port, 200, 2, result))
            stream = asyncio.create_task(get(at.port, "/stream"))
            for i in range(3):
                await asyncio.sleep(0.3)
                more = replace(serving(at, one), backends=(*serving(at, one).backends, Backend(f"new:{i}", "http")))
                assert (await hand.apply(more)).reloaded
            await load
            assert hand.worker_pid != first
            assert result.statuses == {"200": 400}
            assert (await stream)[2].endswith(b"0\r\n\r\n")

    asyncio.run(story())


def test_structure_waits_its_turn_and_instances_do_not(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, at = start("one"), bind()
        async with running(tmp_path, program) as hand:
            outcome = await hand.apply(serving(at))
            for i in range(4):
                more = replace(serving(at, one), backends=(*serving(at, one).backends, Backend(f"new:{i}", "http")))
                outcome = await hand.apply(more)
            assert not outcome.reloaded
            assert outcome.again_s is not None and 0 < outcome.again_s <= 0.5
            assert (await get(at.port))[0] == "200"

    asyncio.run(story())


def test_taken_port_is_told_and_all_others_stay(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, at, taken = start("one"), bind(), socket.create_server(("127.0.0.1", 0))
        contested = Bind("127.0.0.1", taken.getsockname()[1], OWNER, "published port 80")
        async with running(tmp_path, program) as hand:
            base = serving(at, one)
            both = replace(base, frontends=(replace(base.frontends[0], binds=(at, contested)),))
            outcome = await hand.apply(both)
            assert [(u.bind, u.code) for u in outcome.unopened] == [(contested, "EADDRINUSE")]
            assert (await get(at.port))[0] == "200"
            taken.close()
            outcome = await hand.apply(both)
            assert outcome.unopened == ()
            assert (await get(contested.port))[0] == "200"

    asyncio.run(story())


def test_refused_configuration_leaves_the_last_good_one(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, two, at = start("one"), start("two"), bind()
        async with running(tmp_path, program) as hand:
            await hand.apply(serving(at, one))
            bad = Backend("bad", "http", filters=(Filter("http-request no-such-thing"),))
            wrong = replace(serving(at, two), backends=(*serving(at, two).backends, bad))
            outcome = await hand.apply(wrong)
            assert "no-such-thing" in outcome.refused
            assert (await get(at.port))[2].startswith(b"one")
            assert (await hand.apply(wrong)).refused == "", "it is said once"
            assert (await get(at.port))[2].startswith(b"two"), "instances still follow"

    asyncio.run(story())


def test_killed_haproxy_comes_back_and_connections_wait(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, two, at = start("one"), start("two"), bind()
        async with running(tmp_path, program) as hand:
            await hand.apply(serving(at, one))
            await hand.apply(serving(at, two))
            await until(lambda: [*tmp_path.rglob(SETTLED)])  # the files say so as well
            troubled = asyncio.Event()
            hand.on_trouble = troubled.set
            os.kill(hand.worker_pid, signal.SIGKILL)
            assert (await get(at.port))[2].startswith(b"two")
            await asyncio.wait_for(troubled.wait(), 5)
            await hand.apply(serving(at, one))
            assert (await get(at.port))[2].startswith(b"one")

    asyncio.run(story())


def test_the_next_control_adopts_and_haproxy_needs_none(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, two, at = start("one"), start("two"), bind()
        async with running(tmp_path, program) as last:
            first = new_hand(tmp_path, program)
            await first.apply(serving(at, one))
            pid = first.worker_pid
            await first.leave()
            os.kill(pid, signal.SIGKILL)  # while nobody is there but the keeper
            assert (await get(at.port))[2].startswith(b"one")
            await last.apply(serving(at, two))
            assert (await get(at.port))[2].startswith(b"two")

    asyncio.run(story())


def test_what_serves_already_is_taken_over_and_no_connection_notices(
    tmp_path: Path, program: Path, start: Start
) -> None:
    """By the files of its worker: where they say another thing, or cannot be read, a new worker takes over."""

    async def story() -> None:
        one, two, at = start("one"), start("two"), bind()
        async with running(tmp_path, program) as last:
            first = new_hand(tmp_path, program)
            await first.apply(serving(at))
            await first.apply(serving(at, one))  # live: the files follow
            pid = first.worker_pid
            await first.leave()
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            for hand in (new_hand(tmp_path, program), new_hand(tmp_path, program)):
                outcome = await hand.apply(serving(at, one))
                assert not outcome.reloaded and hand.worker_pid == pid
                writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
                assert answer.startswith(b"HTTP/1.1 200")
                await reader.readexactly(int(answer.lower().partition(b"content-length: ")[2].split()[0]))
                await hand.leave()
            writer.close()
            assert not (await last.apply(serving(at, one))).reloaded
            assert not (await last.apply(serving(at, one, two))).reloaded, "what was taken over changes live"
            assert {(await get(at.port))[2][:3] for _ in range(8)} == {b"one", b"two"}
            await last.leave()
            touch_up(tmp_path)
            assert (await last.apply(serving(at, one, two))).reloaded and last.worker_pid != pid

    asyncio.run(story())


def test_a_worker_that_knows_more_than_its_files_say_is_not_taken_over(
    tmp_path: Path, program: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was told last was never written down, and is not wanted any more when the next control comes."""

    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def story() -> None:
        one, two, at = start("one"), start("two"), bind()
        async with running(tmp_path, program) as last:
            first = new_hand(tmp_path, program)
            await first.apply(serving(at, one))
            with monkeypatch.context() as full:
                full.setattr(Path, "write_text", no_room)
                await first.apply(serving(at, two))
                await first.leave()
            await last.apply(serving(at, one))
            assert {(await get(at.port))[2][:3] for _ in range(4)} == {b"one"}

    asyncio.run(story())


def test_a_worker_that_a_killed_keeper_had_not_written_down_is_inherited(
    tmp_path: Path, program: Path, start: Start
) -> None:
    async def story() -> None:
        one, two, at = start("one"), start("two"), bind()
        async with running(tmp_path, program) as hand:
            await hand.apply(serving(at, one))
            first = psutil.Process(hand.worker_pid)
            keeper = first.parent()
            assert keeper is not None
            await hand.leave()
            keeper.send_signal(signal.SIGKILL)
            forget(tmp_path)
            outcome = await hand.apply(serving(at, two))
            assert outcome.unopened == () and outcome.reloaded
            assert (await get(at.port))[2].startswith(b"two")
            psutil.wait_procs([first], 5)
            assert not first.is_running()

    asyncio.run(story())


def forget(home: Path) -> None:
    """What the keeper wrote down is of a worker before this one."""
    (home / "run" / "gateway.json").write_text('{"format": 1, "worker": {"pid": 1}, "ticks": 1}')


def touch_up(home: Path) -> None:
    """Somebody has changed the file of the worker that runs."""
    (text,) = home.rglob("haproxy.cfg")
    text.write_text(text.read_text() + "\n")


def test_killed_keeper_is_replaced_and_the_port_never_closes(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, two, at, result = start("one"), start("two"), bind(), Result()
        async with running(tmp_path, program) as hand:
            await hand.apply(serving(at, one))
            load = asyncio.create_task(keep_asking(at.port, 100, 1.5, result))
            await until(lambda: result.instances["one"] > 20)
            keeper = psutil.Process(hand.worker_pid).parent()
            assert keeper is not None
            keeper.send_signal(signal.SIGKILL)
            await asyncio.sleep(0.3)
            assert (await hand.apply(serving(at, two))).reloaded
            await load
            await keep_asking(at.port, 100, 0.3, result)
            assert result.statuses == {"200": 180}
            assert result.instances["two"] >= 30

    asyncio.run(story())


def test_the_first_bytes_tell_how_a_port_is_carried(tmp_path: Path, program: Path, start: Start) -> None:
    async def raw(port: int, data: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        answer = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
        return answer

    async def story() -> None:
        one, at = start("one"), bind()
        async with running(tmp_path, program) as hand:
            await hand.apply(serving(at, one, mode="sniff"))
            assert b"GET /" in (await get(at.port))[2]
            assert await raw(at.port, b"PING\n") == b"raw:PING\n"
            assert await raw(at.port, b"PRI * HTTP/2.0\n") == b"raw:PRI * HTTP/2.0\n"

    asyncio.run(story())


def test_rows_change_live(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, two, at = start("one"), start("two"), bind()
        backends = (Backend("a:one:80", "http", (server(one),)), Backend("a:two:80", "http", (server(two),)))

        def door(*rows: tuple[str, str]) -> Desired:
            return Desired((), (Door("door-1", at, tuple(rows), any_host=True),), backends)

        async with running(tmp_path, program) as hand:
            await hand.apply(door(("*/", "a:one:80")))
            pid = hand.worker_pid
            assert (await get(at.port, "/x;y"))[2].startswith(b"one")
            await hand.apply(door(("*/", "a:one:80"), ("web/x;y/", "a:two:80")))
            assert (await get(at.port, "/x;y/z"))[2].startswith(b"two")
            assert (await get(at.port, "/x;y/z", host="WEB:8080"))[2].startswith(b"two")
            assert (await get(at.port, "/x"))[2].startswith(b"one")
            await hand.apply(door(("*/", "a:two:80")))
            assert (await get(at.port, "/x"))[2].startswith(b"two")
            await hand.apply(door(("web/a/", "a:two:80")))
            assert (await get(at.port, "/x"))[0] == "404"
            assert hand.worker_pid == pid

    asyncio.run(story())


def test_instance_with_connections_goes_when_they_are_done(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, two, at = start("one"), start("two"), bind()
        async with running(tmp_path, program) as hand:
            await hand.apply(serving(at, one))
            slow = asyncio.create_task(get(at.port, "/slow"))
            await asyncio.sleep(0.2)
            await hand.apply(serving(at, two))
            assert (await get(at.port))[2].startswith(b"two")
            assert await hand.sweep()
            assert (await slow)[2].startswith(b"one")
            for _ in range(100):
                if not await hand.sweep():
                    break
                await asyncio.sleep(0.1)
            assert hand.admin is not None
            (state,) = await admin.ask(hand.admin, ["show servers state default:web:80"])
            assert "one:" not in state

    asyncio.run(story())


def test_an_empty_answer_is_retried_only_where_that_is_harmless(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, two, at = start("one"), start("two"), bind()
        async with running(tmp_path, program) as hand:
            await hand.apply(serving(at, one, two))
            assert {(await get(at.port, "/hang-up"))[2][:3] for _ in range(6)} == {b"two"}
            posts = [(await get(at.port, "/hang-up", method="POST"))[0] for _ in range(6)]
            assert sorted(set(posts)) == ["200", "502"]

    asyncio.run(story())


def test_a_failed_connection_is_retried_for_every_method(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, two, at = start("one"), start("two"), bind()
        async with running(tmp_path, program) as hand:
            await hand.apply(serving(at, one, two))
            one.close_process()
            answers = [await get(at.port, "/echo", method="POST", body=b"x" * 3000) for _ in range(20)]
            assert {(status, len(body)) for status, _, body in answers} == {("200", 3000)}

    asyncio.run(story())


def test_an_upgraded_connection_lives_through_a_takeover(tmp_path: Path, program: Path, start: Start) -> None:
    async def story() -> None:
        one, at = start("one"), bind()
        async with running(tmp_path, program) as hand:
            await hand.apply(serving(at, one))
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            key = b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"
            asked = b"GET /upgrade HTTP/1.1\r\nhost: web\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            writer.write(asked + key + b"\r\n")
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
            more = replace(serving(at, one), backends=(*serving(at, one).backends, Backend("new", "http")))
            assert (await hand.apply(more)).reloaded
            writer.write(b"still here")
            assert await asyncio.wait_for(reader.readexactly(10), 5) == b"still here"
            writer.close()

    asyncio.run(story())


def test_a_wildcard_and_an_own_address_share_a_port_and_nobody_else_does(
    tmp_path: Path, program: Path, start: Start
) -> None:
    async def story() -> None:
        one, two, at = start("one"), start("two"), bind()
        every, own = Bind("0.0.0.0", at.port, OWNER, "published"), Bind("127.0.0.2", at.port, OWNER, "port", own=True)
        async with running(tmp_path, program) as hand:
            wanted = Desired(
                (
                    Frontend("default:own:80", "http", (own,), "default:own:80"),
                    Frontend("default:web:80", "http", (every,), "default:web:80"),
                ),
                (),
                (Backend("default:own:80", "http", (server(one),)), Backend("default:web:80", "http", (server(two),))),
            )
            assert (await hand.apply(wanted)).unopened == ()
            assert (await get(at.port))[2].startswith(b"two")
            assert (await get(at.port, at="127.0.0.2"))[2].startswith(b"one")
            async with running(tmp_path / "other", program) as other:
                outcome = await other.apply(serving(every, one))
                assert [u.code for u in outcome.unopened] == ["EADDRINUSE"]

    asyncio.run(story())


def test_a_full_disk_stops_nothing_that_runs(
    tmp_path: Path, program: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        one, two, at = start("one"), start("two"), bind()
        async with running(tmp_path, program) as hand:
            await hand.apply(serving(at, one))
            with monkeypatch.context() as full:

                def no_room(*_: object, **__: object) -> None:
                    raise OSError(errno.ENOSPC, "No space left on device")

                full.setattr(Path, "write_text", no_room)
                assert (await hand.apply(serving(at, two))).refused == "", "live changes need no disk"
                assert (await get(at.port))[2].startswith(b"two")
                more = replace(serving(at, one), backends=(*serving(at, one).backends, Backend("new", "http")))
                outcome = await hand.apply(more)
                assert "No space left" in outcome.refused
                assert outcome.again_s is not None
            assert (await hand.apply(more)).reloaded
            assert (await get(at.port))[2].startswith(b"one")

    asyncio.run(story())


def test_requests_too_large_to_be_asked_again_are_counted(tmp_path: Path, program: Path, start: Start) -> None:
    """And they are those: a smaller one goes to the other instance when the first hangs up."""

    async def story() -> None:
        one, two, at = start("one"), start("two"), bind()
        async with running(tmp_path, program) as hand:
            await hand.apply(serving(at, one, two))
            assert hand.admin is not None and await large.ask(hand.admin) == {}
            small = [await put(at.port, "/hang-up", 1000) for _ in range(4)]
            assert small == [b"200"] * 4
            assert await large.ask(hand.admin) == {}
            big = [await put(at.port, "/hang-up", 200_000) for _ in range(4)]
            assert b"502" in big
            assert await large.ask(hand.admin) == {"default:web:80": 4}
            assert await put(at.port, "/echo", 200_000, "POST") == b"200"  # is not asked again at any size
            more = replace(serving(at, one), backends=(*serving(at, one).backends, Backend("new", "http")))
            assert (await hand.apply(more)).reloaded
            assert hand.admin is not None and await large.ask(hand.admin) == {"default:web:80": 4}
            assert await large.of_courtyard(tmp_path / "run") == {"default/web": 4}
            await put(at.port, "/echo", 20_000)
            assert await large.of_courtyard(tmp_path / "run") == {"default/web": 5}

    asyncio.run(story())


async def put(port: int, path: str, size: int, method: str = "PUT") -> bytes:
    """The status of a request with a body of so many bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n"
        writer.write(head.encode() + bytes(size))
        return (await reader.readline()).split()[1]
    finally:
        writer.close()
