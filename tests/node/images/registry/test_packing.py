"""The same bytes every time."""

import gzip
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from madang.node.images.registry.packing import pack
from tests.node.images.made import sha256


@given(st.binary(max_size=5000))
def test_packed(body: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain"
        plain.write_bytes(body)
        found = pack(plain, Path(folder), {"mediaType": "x", "digest": "old", "size": 0})
        packed = (Path(folder) / found["digest"][7:]).read_bytes()
        assert gzip.decompress(packed) == body and sha256(packed) == found["digest"] and len(packed) == found["size"]
        assert pack(plain, Path(folder), {"mediaType": "x", "digest": "old", "size": 0}) == found
        assert packed[4:8] == bytes(4) and not packed[3]  # no time, no name
