"""kill -9 while committing: nothing acknowledged is lost, no revision comes back, none is half written.

`MADANG_CRASHES` sets how often (25). The child is killed at another moment each time, some while it opens.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from madang.store.sqlite import SqliteJournal

CRASHES = int(os.environ.get("MADANG_CRASHES", "25"))
COMMITTER = Path(__file__).with_name("committer.py")


def run_until_killed(path: Path, lines: int, more_bytes: int) -> list[str]:
    """The child's words up to its death, which comes after so many lines and a few more bytes of them."""
    child = subprocess.Popen([sys.executable, str(COMMITTER), str(path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child, child.stdout as out:
        told = [out.readline() for _ in range(lines)]
        told.append(out.read(more_bytes))
        child.kill()
        told.append(out.read())
    assert child.returncode == -9, "the committer ended by itself"
    return b"".join(told).decode().splitlines()


class Acknowledged:
    """The newest acknowledged state of each name, over all lives of the store."""

    def __init__(self) -> None:
        self.newest: dict[str, tuple[int, str]] = {}
        self.revision = 0

    def take(self, told: list[str]) -> None:
        for line in told:
            word, *rest = line.split()
            if word == "open":
                assert int(rest[0]) >= self.revision, "the revision went back"
                continue
            name, revision = rest[0], int(rest[1])
            assert self.newest.get(name, (0, ""))[0] < revision
            self.newest[name] = (revision, word)
            self.revision = max(self.revision, revision)

    def check(self, path: Path) -> None:
        journal = SqliteJournal(path)
        try:
            loaded = journal.load()
            rows = {row.key.name: row for row in loaded.rows}
        finally:
            journal.close()
        assert loaded.revision >= self.revision, "an acknowledged revision is gone"
        for row in rows.values():
            assert row.data is not None and row.revision <= loaded.revision
            obj = orjson.loads(row.data)
            assert (obj["name"], obj["revision"]) == (row.key.name, row.revision)
        for name, (revision, word) in self.newest.items():
            found = rows.get(name)
            # A later write may have reached the disk without a word about it: newer is right, older is lost.
            if word == "kept" and (found is None or found.revision < revision):
                assert found is None and loaded.revision > revision, f"{name}@{revision} is lost: {found}"
            if word == "gone" and found is not None:
                assert found.revision > revision, f"{name} was removed @{revision} and is back"


@pytest.mark.timeout(120 + CRASHES * 2)
def test_kill_9_while_committing(tmp_path: Path) -> None:
    chance = random.Random(CRASHES)
    path = tmp_path / "state.db"
    acknowledged = Acknowledged()
    for _ in range(CRASHES):
        told = run_until_killed(path, 1 + chance.randrange(40), chance.randrange(400))
        acknowledged.take(told)
        acknowledged.check(path)
    assert len(acknowledged.newest) > 50
