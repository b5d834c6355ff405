"""What any released Madang has left on disk, today's code can read: one folder of each format."""

import json
from pathlib import Path

import pytest

from madang.courtyard import arguments
from madang.courtyard import record as courtyard_record
from madang.gateway.keeper.record import FORMAT as KEEPER_FORMAT
from madang.kinds.times import format_seconds
from madang.node.networks import claims
from madang.node.networks.ledger import Ledger
from madang.node.runtimes.aftermath import to_exit
from madang.node.runtimes.monitor import record
from madang.ports.clock import SystemClock
from madang.store.durable import open_store
from madang.store.sqlite import SCHEMA
from tests.store.conftest import index
from tests.store.formats.kept import FORMATS, unpack

OBJECTS = {
    "configmaps": ["kube-root-ca.crt", "words"],
    "deployments.apps": ["web"],
    "jobs.batch": ["fails"],
    "secrets": ["secret"],
    "services": ["web"],
}


@pytest.fixture(params=FORMATS, ids=lambda number: f"v{number}")
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return unpack(request.param, tmp_path)


def test_one_is_kept_of_each_format() -> None:
    assert list(range(1, SCHEMA + 1)) == FORMATS, (
        "before the format is changed, keep a folder of the present one: python -m tests.store.formats.keep"
    )


async def test_the_objects(home: Path) -> None:
    store = await open_store(home / "state.db", index, SystemClock())
    try:
        for kind, names in OBJECTS.items():
            assert [entry.key.name for entry in store.list(kind, "kept").entries] == names
        assert len(store.list("pods", "kept").entries) == 3 and store.revision > 50
        _, words = store.list("configmaps", "kept").entries
        assert words.obj["data"] == {"word": "마당"}
    finally:
        await store.close()


def test_what_monitors_wrote(home: Path) -> None:
    folders = [path.parent for path in (home / "pods").rglob(record.RUNNING)]
    ended = [found for folder in folders if (found := record.read(folder, record.EXIT))]
    assert len(folders) == 2 and len(ended) == 1
    found = to_exit(ended[0])
    assert (found.code, found.signal, found.reason) == (137, 9, "Error")
    assert format_seconds(found.finished_at_s) > format_seconds(found.started_at_s)
    for folder in folders:
        running = record.read(folder, record.RUNNING)
        assert running is not None and not record.alive(running["monitorPid"], running["monitorTicks"])


def test_addresses_settings_and_records(home: Path) -> None:
    addresses = claims._before(home)
    assert addresses is not None and addresses.network == "loopback"
    known = Ledger(home / "network", addresses.pod_cidr).all
    assert len(known) == 2 and set(known) == {path.name for path in (home / "pods").iterdir()}
    assert arguments.kept(home)["nodes"] == 2
    assert json.loads((home / "run" / "gateway.json").read_bytes())["format"] <= KEEPER_FORMAT
    told = json.loads((home / "run" / "courtyard.json").read_bytes())
    assert told["format"] <= courtyard_record.FORMAT and told["addresses"]["api"].startswith("https://")


def test_newer_ones_are_refused_or_not_believed(home: Path) -> None:
    path = next((home / "pods").rglob(record.RUNNING))
    running = json.loads(path.read_bytes())
    path.write_text(json.dumps({**running, "format": record.FORMAT + 1}))
    with pytest.raises(record.Newer, match=r"running\.json was written by a newer madang"):
        courtyard_record.refuse_newer(home)
    path.write_text("{")
    courtyard_record.refuse_newer(home)
    (home / "settings.json").write_text(json.dumps({"format": arguments.FORMAT + 1, "nodes": 7}))
    assert arguments.kept(home) == {}
