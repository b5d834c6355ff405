"""A monitor's records: whole or none, and room for the last one while the disk is full."""

import os
from pathlib import Path

from madang.node.runtimes.monitor import record


def test_what_was_reserved_is_used(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        record.reserve(folder, record.EXIT)
        kept = (tmp_path / record.partial(record.EXIT)).stat()
        assert kept.st_blocks * 512 >= record.RESERVED_BYTES
        assert record.read(tmp_path, record.EXIT) is None
        record.write(folder, record.EXIT, {"code": 7})
        assert record.read(tmp_path, record.EXIT) == {"format": record.FORMAT, "code": 7}
        assert (tmp_path / record.EXIT).stat().st_ino == kept.st_ino
        assert [p.name for p in tmp_path.iterdir()] == [record.EXIT]
    finally:
        os.close(folder)
