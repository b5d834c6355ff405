"""`madang build` as an ordinary user: in namespaces of its own, and the image is the one that root builds."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_unprivileged import NOBODY, readable
from tests.node.building import small_root

pytestmark = pytest.mark.e2e
DOCKERFILE = """\
FROM scratch AS base
ADD root.tar /
FROM base AS made
RUN --mount=type=cache,target=/kept --network=none id -u > /who && touch /kept/x && rm -r /tmp && mkdir /tmp
RUN ls /sys/kernel > /seen && test -s /seen && rm /seen && mkdir -m 700 /private && rm /etc/group
FROM base
COPY --from=made / /copied/
COPY word /word
RUN rm -r /copied/bin && cat /copied/who
CMD ["cat", "/word"]
"""
THEIRS = """\
COPY --chown=me word /home/me/word
RUN mkdir /var && chown 7:me /var
USER me
RUN id -u && echo mine > /tmp/mine && mkdir -m 700 /tmp/closed && touch /tmp/closed/x
"""
# for one command and all that it starts, /etc/subuid and /etc/subgid say this
LENT = 'mount --bind "$1" /etc/subuid && mount --bind "$1" /etc/subgid && shift && exec "$@"'


@pytest.fixture
def root() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="madang-", dir="/tmp"))
    try:
        yield made
    finally:
        shutil.rmtree(made)


def folder(root: Path) -> Path:
    made = root / "folder"
    made.mkdir(mode=0o755)
    small = small_root.make(root / "small")
    with tarfile.open(made / "root.tar", "w") as tar:
        tar.add(small, "", filter=owned_by_root)
    (made / "Dockerfile").write_text(DOCKERFILE)
    (made / "word").write_text("hello\n")
    for path in (made, *made.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return made


def owned_by_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def run(before: tuple[str, ...], python: str, path: str, home: Path, *words: str) -> Any:
    kept = {k: v for k, v in os.environ.items() if k not in ("XDG_STATE_HOME", "XDG_CACHE_HOME")}
    env = {
        **kept,
        "HOME": str(home),
        "MADANG_HOME": str(home / "m"),
        "PYTHONPATH": path,
        "NO_COLOR": "1",
        "SOURCE_DATE_EPOCH": "1",
    }
    return subprocess.run(
        [*before, python, "-m", "madang.cli", *words],
        env=env, cwd=home, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("lent", [False, True], ids=["own id alone", "lent ids"])
def test_an_ordinary_user_builds_what_root_builds(root: Path, lent: bool) -> None:
    if os.geteuid() != 0:
        pytest.skip("root builds the same for comparison")
    if not (shutil.which("runc") or shutil.which("crun")) or shutil.which("setpriv") is None:
        pytest.skip("RUN needs runc or crun, and setpriv")
    root.chmod(0o755)
    user = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    python, path = readable(user)
    if lent:
        if shutil.which("newuidmap") is None:
            pytest.skip("ids are lent by newuidmap (Debian: apt-get install uidmap)")
        (root / "ids").write_text("nobody:300000:65536\n")
        user = ("unshare", "--mount", "sh", "-c", LENT, "sh", str(root / "ids"), *user)
    source, homes = folder(root), {who: root / who for who in ("nobody", "root")}
    if lent:
        with (source / "Dockerfile").open("a") as text:
            text.write(THEIRS)
    for home in homes.values():
        home.mkdir()
    os.chown(homes["nobody"], NOBODY, NOBODY)
    words = ("build", str(source), "-t", "try", "-o", "json")
    mine = run(user, python, path, homes["nobody"], *words)
    if mine.returncode and "user namespace" in mine.stderr:
        pytest.skip(f"an ordinary user may not: {mine.stderr.strip()}")
    assert mine.returncode == 0 and ("no ids are lent" in mine.stderr) != lent, mine.stdout + mine.stderr
    theirs = run((), sys.executable, path, homes["root"], *words)
    assert theirs.returncode == 0, theirs.stdout + theirs.stderr
    assert json.loads(mine.stdout) == json.loads(theirs.stdout)
    assert str(root) not in Path("/proc/self/mountinfo").read_text()

    again = run(user, python, path, homes["nobody"], "build", str(source), "-t", "try")
    assert again.returncode == 0 and again.stdout.count("CACHED") == again.stdout.count("[") >= 6, again.stdout
    for last in (("image", "prune", "--builds"), ("image", "rm", "try")):
        done = run(user, python, path, homes["nobody"], *last)
        assert done.returncode == 0, done.stdout + done.stderr
    left = [
        homes["nobody"] / "m" / part
        for part in (".build/layers", ".build/mounts", ".images/trees", ".images/blobs/sha256")
    ]
    assert [list(place.iterdir()) for place in left] == [[]] * 4
