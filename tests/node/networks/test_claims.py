"""Claims: neighbours never share anything, a home gets its own again, the dead are recognised."""

import asyncio
import ipaddress
import itertools
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.node.networks import claims, leftovers, pools
from madang.node.runtimes.monitor import record
from madang.ports.settings import Addresses, NetworkName

NETWORKS: list[NetworkName] = ["bridge", "loopback"]


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


def test_two_control_processes_of_one_home(tmp_path: Path, folders: list[Path]) -> None:
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
