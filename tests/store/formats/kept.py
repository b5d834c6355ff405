"""The state folders that are kept, unpacked for a test."""

import tarfile
from pathlib import Path

FOLDER = Path(__file__).parent
FORMATS = sorted(int(path.name[1:]) for path in FOLDER.glob("v*"))


def unpack(number: int, into: Path) -> Path:
    """The home, as a killed control of that time has left it."""
    with tarfile.open(FOLDER / f"v{number}" / "state.tar.gz") as tar:
        tar.extractall(into, filter="fully_trusted")
    return into / "home"
