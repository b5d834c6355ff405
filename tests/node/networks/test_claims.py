"""Claims: neighbours never share anything, a home gets its own again, the dead are recognised."""

import asyncio
import ipaddress
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.node.networks import claim_folders, claims, leftovers, pools
from madang.node.runtimes.monitor import record
from madang.ports.settings import Addresses, NetworkName

NETWORKS: list[NetworkName] = ["bridge", "loopback"]


@pytest.fixture(autouse=True)
def no_bridges(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine has is not these tests' business."""
    monkeypatch.setattr(leftovers, "unclaimed", lambda ids: iter(()))


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    return [tmp_path / "claims"]


def home(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.mkdir(exist_ok=True)
    return path


def test_the_same_home_gets_the_same_again(tmp_path: Path, folders: list[Path]) -> None:
    first = claims.hold(home(tmp_path, "a"), "loopback", folders=folders)
    assert len(first.id) == 6
    first.close()
    again = claims.hold(home(tmp_path, "a"), "loopback", folders=folders)
    assert again.kept == first.kept
    again.release()
    assert claims.kept_claims(folders) == []


def test_two_control_processes_of_one_home(
    tmp_path: Path, folders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "BUSY_S", 0.05)
    first = claims.hold(home(tmp_path, "a"), "loopback", folders=folders)
    with pytest.raises(claims.Busy, match=r"the courtyard at .*/a is already run by another process"):
        claims.hold(home(tmp_path, "a"), "loopback", folders=folders)
    first.release()


def test_neighbours_share_nothing(tmp_path: Path, folders: list[Path]) -> None:
    held = [claims.hold(home(tmp_path, f"h{n}"), "loopback", folders=folders) for n in range(6)]
    held += [claims.hold(home(tmp_path, f"b{n}"), "bridge", folders=folders) for n in range(6)]
    for one, other in itertools.combinations(held, 2):
        assert one.id != other.id
        for mine, theirs in itertools.product(ranges(one.addresses), ranges(other.addresses)):
            assert not mine.overlaps(theirs)
    bases = [claim.addresses.port_base for claim in held[:6]]
    assert len(set(bases)) == 6
    for claim in held:
        claim.release()


def ranges(addresses: Addresses) -> list[ipaddress.IPv4Network]:
    return [ipaddress.IPv4Network(addresses.pod_cidr), ipaddress.IPv4Network(addresses.service_cidr)]


def test_another_network_gets_other_addresses(tmp_path: Path, folders: list[Path]) -> None:
    claims.hold(home(tmp_path, "a"), "loopback", folders=folders).close()
    bridge = claims.hold(home(tmp_path, "a"), "bridge", folders=folders)
    assert bridge.addresses.device == f"md-{bridge.id}"
    assert [kept.addresses.network for kept in claims.sweep_dead(folders)] == ["loopback"]
    assert [kept.id for kept in claims.kept_claims(folders)] == [bridge.id]
    bridge.release()


def test_what_runs_keeps_its_network(tmp_path: Path, folders: list[Path]) -> None:
    folder = home(tmp_path, "a") / "pods" / "u" / "containers" / "c" / "0"
    folder.mkdir(parents=True)
    running = {"format": record.FORMAT, "monitorPid": os.getpid(), "monitorTicks": record.ticks(os.getpid())}
    (folder / record.RUNNING).write_text(json.dumps(running))
    claims.hold(home(tmp_path, "a"), "bridge", folders=folders).close()
    with pytest.raises(claims.Occupied, match=r"still run on the bridge network.*`madang down` first"):
        claims.hold(home(tmp_path, "a"), "loopback", folders=folders)
    claims.hold(home(tmp_path, "a"), "bridge", folders=folders).release()


def test_the_lock_goes_with_its_process_and_the_claim_stays(tmp_path: Path, folders: list[Path]) -> None:
    code = (
        "import sys, os, signal; from pathlib import Path; from madang.node.networks import claims\n"
        "claims.hold(Path(sys.argv[1]), 'loopback', folders=[Path(sys.argv[2])]); os.kill(os.getpid(), signal.SIGKILL)"
    )
    place = home(tmp_path, "a")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code, str(place), str(folders[0])], env=env, check=False)
    (kept,) = claims.kept_claims(folders)
    assert claims.dead(kept)
    again = claims.hold(place, "loopback", folders=folders)
    assert again.addresses == kept.addresses
    again.release()


def test_living_workloads_keep_a_claim_without_its_lock(tmp_path: Path, folders: list[Path]) -> None:
    place = home(tmp_path, "a")
    claim = claims.hold(place, "loopback", folders=folders)
    claim.close()
    start = place / "pods" / "uid" / "containers" / "c" / "0"
    start.mkdir(parents=True)
    running = {"monitorPid": os.getpid(), "monitorTicks": record.ticks(os.getpid())}
    (start / record.RUNNING).write_text(json.dumps(running))
    assert list(claims.sweep_dead(folders)) == []
    (start / record.RUNNING).write_text(json.dumps({**running, "monitorTicks": 1}))
    assert [kept.id for kept in claims.sweep_dead(folders)] == [claim.id]
    assert claims.kept_claims(folders) == []


def test_a_held_claim_is_never_swept(tmp_path: Path, folders: list[Path]) -> None:
    claim = claims.hold(home(tmp_path, "a"), "loopback", folders=folders)
    assert list(claims.sweep_dead(folders)) == []
    claim.release()


def test_nonsense_in_the_folder_is_passed_over(tmp_path: Path, folders: list[Path]) -> None:
    folders[0].mkdir()
    folders[0].chmod(0o1777)
    (folders[0] / "ffffff.json").write_text("{")
    (folders[0] / "eeeeee.json").symlink_to("/etc/passwd")
    os.mkfifo(folders[0] / "dddddd.json")
    good = claims.hold(home(tmp_path, "b"), "loopback", folders=folders)
    body = json.loads(good.path.read_text())
    good.release()
    for changes in (
        {"id": "../../x"},
        {"id": "0x_123"},
        {"id": "cccccc", "home": "relative"},
        {"id": "cccccc", "addresses": {**body["addresses"], "service_cidr": "everything"}},
        {"id": "cccccc", "addresses": {**body["addresses"], "port_base": "many"}},
        {"id": "bbbbbb"},  # under another's name
    ):
        (folders[0] / "cccccc.json").write_text(json.dumps({**body, **changes}))
        claim = claims.hold(home(tmp_path, "a"), "loopback", folders=folders)
        assert [kept.id for kept in claims.kept_claims(folders)] == [claim.id]
        claim.release()


def test_what_another_user_says_of_a_bridge_is_no_order(
    tmp_path: Path, folders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may write into the folder could else have root take down routes and links of its choice."""
    destroyed: list[str] = []

    async def destroy(id: str, addresses: Addresses) -> None:
        destroyed.append(id)

    monkeypatch.setattr(leftovers, "destroy", destroy)
    monkeypatch.setattr(leftovers.cgroup, "sweep", lambda id: None)
    gone = claims.hold(home(tmp_path, "a"), "bridge", folders=folders)
    gone.close()
    for owner, expected in ((os.getuid() + 1, []), (os.getuid(), [gone.id])):
        kept = replace(gone.kept, uid=owner)
        monkeypatch.setattr(claims, "sweep_dead", lambda folders, kept=kept: iter([kept]))
        asyncio.run(leftovers.sweep(folders))
        assert destroyed == expected


def test_an_unsafe_folder_is_refused(tmp_path: Path, folders: list[Path]) -> None:
    folders[0].mkdir()
    folders[0].chmod(0o777)
    with pytest.raises(OSError, match="anybody may remove others' claims there: chmod 1777"):
        claims.hold(home(tmp_path, "a"), "loopback", folders=folders)


@settings(deadline=None)
@given(st.lists(st.integers(0, 0xFFFFFF), max_size=8), st.sampled_from(NETWORKS))
def test_whatever_others_hold_the_pick_is_free(ids: list[int], network: NetworkName) -> None:
    held: list[Addresses] = []
    for number in ids:
        picked = pools.pick(f"{number:06x}", network, held)
        for other in held:
            assert not any(a.overlaps(b) for a, b in itertools.product(ranges(picked), ranges(other)))
        held.append(picked)


def test_routes_of_the_machine_are_avoided(tmp_path: Path) -> None:
    table = tmp_path / "route"
    table.write_text(
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t0000500A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    )
    assert list(pools.routes(table)) == [ipaddress.IPv4Network("10.80.0.0/16")]


def test_a_sweep_in_passing_does_not_make_a_courtyard_look_busy(tmp_path: Path, folders: list[Path]) -> None:
    place = home(tmp_path, "a")
    claims.hold(place, "loopback", folders=folders).close()
    sweep = claims.sweep_dead(folders)
    next(sweep)  # it is being cleaned up after: its lock is held
    passing = threading.Timer(0.05, lambda: list(sweep))
    passing.start()
    claim = claims.hold(place, "loopback", folders=folders)
    passing.join()
    assert [kept.id for kept in claims.kept_claims(folders)] == [claim.id]
    claim.release()


@pytest.mark.parametrize("network", NETWORKS)
def test_what_a_home_had_it_gets_again(tmp_path: Path, folders: list[Path], network: NetworkName) -> None:
    """Its services keep their addresses over a `down` and a reboot, whoever came and went meanwhile."""
    place = home(tmp_path, "a")
    first = claims.hold(place, network, folders=folders)
    first.release()
    others = [claims.hold(home(tmp_path, f"h{n}"), network, folders=folders) for n in range(4)]
    again = claims.hold(place, network, folders=folders)
    taken = {other.addresses.port_base for other in others}  # there are few ranges: another may hold ours by now
    if first.addresses.port_base not in taken:
        assert again.addresses == first.addresses
    assert replace(again.addresses, port_base=first.addresses.port_base) == first.addresses
    again.release()
    for claim in others:
        claim.release()


def test_what_another_has_now_is_not_given_again(tmp_path: Path, folders: list[Path]) -> None:
    place = home(tmp_path, "a")
    first = claims.hold(place, "bridge", folders=folders)
    first.release()
    (home(tmp_path, "b") / claims.REMEMBERED).write_text((place / claims.REMEMBERED).read_text())
    other = claims.hold(home(tmp_path, "b"), "bridge", folders=folders)
    assert ranges(other.addresses) == ranges(first.addresses)
    assert other.addresses.device == f"md-{other.id}"
    again = claims.hold(place, "bridge", folders=folders)
    for mine, theirs in itertools.product(ranges(again.addresses), ranges(other.addresses)):
        assert not mine.overlaps(theirs)
    again.release()
    other.release()


def test_our_own_routes_are_no_obstacle(tmp_path: Path) -> None:
    table = tmp_path / "route"
    table.write_text("Iface ...\nmd-abc\t0000500A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n")
    assert list(pools.routes(table, but="md-abc")) == []
    assert list(pools.routes(table, but="md-abd")) != []


def test_a_damaged_claim_is_written_anew_with_what_it_had(
    tmp_path: Path, folders: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    claim = claims.hold(home(tmp_path, "a"), "loopback", folders=folders)
    claim.close()
    claim.path.write_bytes(b'{"format": 1, "id\x00')
    (home(tmp_path, "a") / claims.REMEMBERED).write_text("")
    again = claims.hold(home(tmp_path, "a"), "loopback", folders=folders)
    assert (again.id, again.addresses) == (claim.id, claim.addresses)
    assert f"{claim.path} is damaged" in caplog.text
    again.release()


def test_other_users_see_a_claim_whatever_the_umask(tmp_path: Path, folders: list[Path]) -> None:
    old = os.umask(0o077)
    try:
        parent = tmp_path / "madang"
        claim = claims.hold(home(tmp_path, "a"), "loopback", folders=[parent / "claims"])
    finally:
        os.umask(old)
    assert claim.path.stat().st_mode & 0o777 == 0o644
    assert parent.stat().st_mode & 0o777 == 0o755
    assert (parent / "claims").stat().st_mode & 0o7777 == 0o1777
    claim.release()


def test_a_claim_stays_where_it_is_when_a_better_folder_appears(tmp_path: Path) -> None:
    """An ordinary user's first start finds the second folder alone; then root starts and makes the first."""
    roots, anybodys = tmp_path / "roots", tmp_path / "anybodys"
    running_pod(home(tmp_path, "a"))
    first = claims.hold(home(tmp_path, "a"), "loopback", folders=[anybodys])
    first.close()
    again = claims.hold(home(tmp_path, "a"), "loopback", folders=[roots, anybodys])
    assert again.path == first.path and again.kept == first.kept
    again.release()


def running_pod(place: Path) -> None:
    start = place / "pods" / "u" / "containers" / "c" / "0"
    start.mkdir(parents=True)
    running = {"format": record.FORMAT, "monitorPid": os.getpid(), "monitorTicks": record.ticks(os.getpid())}
    (start / record.RUNNING).write_text(json.dumps(running))


def test_who_sees_one_folder_and_who_sees_both_pick_one_after_the_other(tmp_path: Path) -> None:
    roots, anybodys = tmp_path / "roots", tmp_path / "anybodys"
    order: list[str] = []
    with claim_folders.picking(anybodys, [anybodys]):

        def other() -> None:
            claim = claims.hold(home(tmp_path, "b"), "loopback", folders=[roots, anybodys])
            order.append("other")
            claim.release()

        waiting = threading.Thread(target=other)
        waiting.start()
        waiting.join(0.2)
        order.append("first")
    waiting.join()
    assert order == ["first", "other"]


def test_a_shared_folder_that_cannot_be_locked_keeps_nobody_from_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_folders, "PICKING_S", 0.05)
    monkeypatch.setattr(claims, "BUSY_S", 0.05)
    own, shared = tmp_path / "own", tmp_path / "shared"
    with claim_folders.picking(shared, [shared]):
        claims.hold(home(tmp_path, "a"), "loopback", folders=[own, shared]).release()
        with pytest.raises(claims.Busy, match="has been locked by another"):
            claims.hold(home(tmp_path, "b"), "loopback", folders=[shared])


def test_what_strangers_listen_on_is_not_taken_and_not_taken_again(
    tmp_path: Path, folders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = home(tmp_path, "a")
    first = claims.hold(place, "loopback", folders=folders)
    first.release()
    with socket.create_server((first.addresses.gateway_ip, 0)):
        other = claims.hold(place, "loopback", folders=folders)
        for mine, theirs in itertools.product(ranges(other.addresses), ranges(first.addresses)):
            assert not mine.overlaps(theirs)
        other.release()
    block = int(other.addresses.pod_cidr.split(".")[1])
    monkeypatch.setattr(pools, "BLOCKS", range(block, block + 1))
    (place / claims.REMEMBERED).unlink()
    with (
        socket.create_server((f"127.{block}.3.4", 0)),
        pytest.raises(OSError, match=r"no free 127.x block is left on this machine: stop another courtyard"),
    ):
        claims.hold(place, "loopback", folders=folders)


def test_a_claim_that_was_lost_while_its_programs_run_is_the_same_again(tmp_path: Path, folders: list[Path]) -> None:
    """Somebody tidied the claims' folder: who listens in the block is this courtyard itself."""
    place = home(tmp_path, "a")
    running_pod(place)
    first = claims.hold(place, "loopback", folders=folders)
    first.path.unlink()
    first.close()
    with socket.create_server((first.addresses.gateway_ip, 0)):
        again = claims.hold(place, "loopback", folders=folders)
        assert again.addresses == first.addresses
        again.release()


def test_subnets_that_strangers_route_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    free = pools.SUBNETS[7]
    taken = [net for net in pools.SUBNETS if net != free]
    monkeypatch.setattr(pools, "routes", lambda but="": taken)
    assert [str(net) for net in ranges(pools.pick("abcdef", "bridge", []))] == [str(n) for n in free.subnets()]
    monkeypatch.setattr(pools, "routes", lambda but="": pools.SUBNETS)
    with pytest.raises(OSError, match="no free subnet in 10/8 is left"):
        pools.pick("abcdef", "bridge", [])


def test_a_courtyard_whose_keeper_lives_is_not_dead(tmp_path: Path, folders: list[Path]) -> None:
    place = home(tmp_path, "a")
    (place / "run").mkdir()
    claim = claims.hold(place, "loopback", folders=folders)
    claim.close()
    code = "import time; print('up', flush=True); time.sleep(600)"
    keeper = subprocess.Popen([sys.executable, "-c", code, str(place / "run")], stdout=subprocess.PIPE)
    try:
        assert keeper.stdout is not None and keeper.stdout.readline() == b"up\n"
        (place / "run" / "gateway.json").write_text(json.dumps({"keeper": keeper.pid}))
        assert list(claims.sweep_dead(folders)) == []
    finally:
        keeper.kill()
        keeper.communicate()
    assert [kept.id for kept in claims.sweep_dead(folders)] == [claim.id]


def test_what_a_dead_courtyard_left_running_ends_with_its_claim(tmp_path: Path, folders: list[Path]) -> None:
    """HAProxy whose keeper is gone, and a program whose monitor is; nobody else."""
    place = home(tmp_path, "a")
    start = place / "pods" / "u" / "containers" / "c" / "0"
    start.mkdir(parents=True)
    (place / "run").mkdir()
    claims.hold(place, "loopback", folders=folders).close()
    sleeping = [sys.executable, "-c", "import time; time.sleep(600)"]
    haproxy, program, stranger = (subprocess.Popen(sleeping) for _ in range(3))
    forked = subprocess.Popen(sleeping, env={**os.environ, "MADANG_CONTAINER": "u/c/0"})
    try:
        told = {"worker": {"pid": haproxy.pid}, "ticks": record.ticks(haproxy.pid), "keeper": 0}
        (place / "run" / "gateway.json").write_text(json.dumps(told))
        running = {"id": "u/c/0", "pid": program.pid, "startedTicks": record.ticks(program.pid), "monitorPid": 1,
                   "monitorTicks": 1, "confinement": {"pids": False}, "format": record.FORMAT}  # fmt: skip
        (start / record.RUNNING).write_text(json.dumps(running))
        swept = asyncio.run(leftovers.sweep(folders))
        assert len(swept) == 1
        assert [p.wait(10) for p in (haproxy, program, forked)] == [-9, -9, -9]
        assert stranger.poll() is None
    finally:
        for process in (haproxy, program, stranger, forked):
            process.kill()
            process.wait()
