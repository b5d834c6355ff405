"""`madang build` on a real machine, and beside it buildah: the same Dockerfile, the same files, the same settings."""

import json
import os
import random
import shutil
import stat
import subprocess
import sys
import tarfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from madang.node.building.runc import cgroups
from madang.node.images.store import Store
from tests.node.building import small_root
from tests.node.building.loopback import serving

pytestmark = pytest.mark.e2e

DOCKERFILE = """\
FROM scratch AS base
ADD root.tar /
FROM base AS made
ARG WHAT=nothing
RUN echo "$WHAT" > /what && ln /what /again && mkdir -m 700 /private
FROM base AS other
RUN echo other > /other
FROM base
ENV GREETING="hello world" EMPTY=
LABEL one=1 two="2 3"
WORKDIR /srv
WORKDIR app
COPY --chown=me:me src/ ./src/
COPY --from=made /what /again ./
COPY --from=other --chmod=640 /other /new/name
COPY *.md /docs/
RUN rm /etc/group && mv /docs /papers && touch src/new && chmod 4755 src/run.sh
EXPOSE 8080 53/udp
VOLUME /data
USER me
STOPSIGNAL SIGINT
ENTRYPOINT ["sh", "-c"]
CMD ["echo $GREETING"]
"""
LEFT_BY_BUILDAH = ("etc/hostname", "etc/hosts", "etc/resolv.conf", "run")  # its mount points
CONFIG = ("Env", "Cmd", "Entrypoint", "WorkingDir", "User", "ExposedPorts", "Volumes", "Labels", "StopSignal")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if os.geteuid() != 0:
        pytest.skip("only root mounts layers")
    if not shutil.which("runc"):
        pytest.skip("runc is not installed")
    folder = tmp_path / "folder"
    (folder / "src/deep").mkdir(parents=True)
    root = small_root.make(tmp_path / "small")
    with tarfile.open(folder / "root.tar", "w") as tar:
        tar.add(root, "")
    for name, text in (("src/run.sh", "run"), ("src/deep/x", "x"), ("README.md", "r"), ("b.md", "b"), ("no.log", "")):
        (folder / name).write_text(text)
    (folder / "src/link").symlink_to("run.sh")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / ".dockerignore").write_text("*.log\nsrc/deep/no*\n")
    return folder


def madang(home: Path, *words: str, code: int = 0, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "madang.cli", *words],
        env={**os.environ, "MADANG_HOME": str(home), **env},
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def built(home: Path, folder: Path, *words: str, **env: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(madang(home, "build", str(folder), "-t", "try", "-o", "json", *words, **env))
    return found


def files(root: Path) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        what: Any = None
        if stat.S_ISLNK(status.st_mode):
            what = os.readlink(path)
        elif stat.S_ISREG(status.st_mode):
            what = (status.st_nlink, path.read_bytes()[:100], status.st_size)
        found[str(path.relative_to(root))] = (oct(status.st_mode), status.st_uid, status.st_gid, what)
    return found


def unpacked(home: Path, target: Path) -> tuple[dict[str, Any], dict[str, tuple[Any, ...]]]:
    """The image's settings, and its files as its layers tell them, read by nobody but tar and rm."""
    store = Store(home / ".images")
    image = store.find("try")
    assert image is not None
    for layer in image.layers:
        with tarfile.open(store.layout.blob(layer.digest)) as tar:
            for member in tar:
                folder, name = os.path.split(member.name)
                assert not name.startswith(".wh..wh."), "nothing here is made anew"
                if name.startswith(".wh."):
                    subprocess.run(["rm", "-r", str(target / folder / name[4:])], check=True)
                else:
                    tar.extract(member, target, filter="fully_trusted")
    config: dict[str, Any] = json.loads(store.layout.blob(image.id).read_bytes())
    return config["config"], files(target)


def by_buildah(folder: Path, work: Path) -> tuple[dict[str, Any], dict[str, tuple[Any, ...]]]:
    where = ["buildah", "--root", str(work / "root"), "--runroot", str(work / "run"), "--storage-driver", "vfs"]

    def buildah(*words: str) -> str:
        return subprocess.run([*where, *words], capture_output=True, text=True, check=True, timeout=100).stdout.strip()

    try:
        buildah(
            "build", "--isolation", "chroot", "--format", "docker", "--build-arg", "WHAT=it", "-t", "try", str(folder)
        )
    except subprocess.CalledProcessError as error:
        pytest.skip(f"buildah can't build here: {error.stderr[-300:]}")
    container = buildah("from", "try")
    found = files(Path(buildah("mount", container)))
    for left in LEFT_BY_BUILDAH:
        found.pop(left, None)
    config: dict[str, Any] = json.loads(buildah("inspect", "--type", "image", "try"))["Docker"]["config"]
    del config["Labels"]["io.buildah.version"]
    buildah("umount", container)
    buildah("rm", container)
    return config, found


def test_it_builds_what_buildah_builds(folder: Path, tmp_path: Path) -> None:
    if not shutil.which("buildah"):
        pytest.skip("buildah is not installed")
    madang(tmp_path / "home", "build", str(folder), "-t", "try", "--build-arg", "WHAT=it")
    (tmp_path / "ours").mkdir()
    config, ours = unpacked(tmp_path / "home", tmp_path / "ours")
    wanted, theirs = by_buildah(folder, tmp_path / "buildah")
    assert {k: config.get(k) or None for k in CONFIG} == {k: wanted.get(k) or None for k in CONFIG}
    assert ours == theirs


def test_what_is_known_is_not_done_again(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = built(home, folder)
    said = madang(home, "build", str(folder), "-t", "try")
    assert "CACHED RUN rm /etc/group" in said and said.count("CACHED") == 10
    assert first["digest"] in said
    (folder / "README.md").write_text("another")
    said = madang(home, "build", str(folder), "-t", "try")
    assert "] COPY *.md /docs/" in said and "] RUN rm /etc/group" in said and said.count("CACHED") == 8
    assert first["digest"] not in said


def test_the_same_input_gives_the_same_digest_anywhere(folder: Path, tmp_path: Path) -> None:
    first, second = (built(tmp_path / home, folder, SOURCE_DATE_EPOCH="1700000000") for home in ("one", "two"))
    os.utime(folder / "README.md", (1, 1))
    third = built(tmp_path / "three", folder, SOURCE_DATE_EPOCH="1700000000")
    assert first["id"] == second["id"] == third["id"]


def test_mounts_secrets_and_what_is_left_of_them(folder: Path, tmp_path: Path) -> None:
    (folder / "Dockerfile").write_text(
        "FROM scratch AS base\nADD root.tar /\nRUN rm -r /tmp\nFROM base\n"
        "RUN --mount=type=cache,target=/kept --mount=type=secret,id=s --mount=type=secret,id=e,env=E "
        "--mount=type=tmpfs,target=/tmp/t --mount=target=/ctx --mount=from=base,source=/etc,target=/base,rw "
        "echo $(cat /run/secrets/s) $E $(ls /ctx) $(cat /kept/x) && echo 1 > /kept/x && touch /tmp/t/y /base/z\n"
        "RUN <<EOF\n#!/bin/sh\necho script $0\nEOF\n"
    )
    (folder / "key").write_text("nobody-guesses")
    words = ("build", str(folder), "-t", "try", "--secret", f"id=s,src={folder}/key", "--secret", "id=e,env=WORD")
    said = madang(tmp_path / "home", *words, WORD="quiet")
    listing = "Dockerfile README.md b.md key root.tar src"
    assert f"[1 1/2] nobody-guesses quiet {listing}\n" in said
    assert "script /dev/pipes/EOF" in said
    again = madang(tmp_path / "home", *words, "--no-cache", WORD="quiet")
    assert f"nobody-guesses quiet {listing} 1\n" in again
    (tmp_path / "ours").mkdir()
    found = unpacked(tmp_path / "home", tmp_path / "ours")[1]
    assert not {"kept", "ctx", "tmp", "base", "run", "etc/hosts", "etc/resolv.conf"} & set(found)
    blobs = tmp_path / "home/.images/blobs/sha256"
    assert b"nobody-guesses" not in b"".join(path.read_bytes() for path in blobs.iterdir())


@pytest.mark.parametrize(
    ("dockerfile", "message"),
    [
        ("FROM nowhere/to/be:found\n", 'the image "nowhere/to/be:found" is not here'),
        ("FROM scratch\nCOPY nothing /\n", 'Dockerfile line 2: "nothing": not found'),
        ("FROM scratch\nADD root.tar /\nRUN exit 3\n", "did not complete successfully: exit code: 3"),
        ("FROM scratch\nRUN true\n", 'Dockerfile line 2: RUN true: unable to start container process: exec: "/bin/sh"'),
        ("FROM scratch\nADD root.tar /\nUSER nobody\nRUN true\n", "line 4: RUN true: unable to find user nobody"),
    ],
)
def test_refusals_and_failures(folder: Path, tmp_path: Path, dockerfile: str, message: str) -> None:
    (folder / "Dockerfile").write_text(dockerfile)
    said = madang(tmp_path / "home", "build", str(folder), "-t", "try", code=1)
    assert message in " ".join(said.split())
    work = tmp_path / "home/.build/work"
    assert not work.exists() or list(work.iterdir()) == []


def test_a_built_image_is_stood_on(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    built(home, folder)
    (folder / "Dockerfile").write_text("FROM try\nRUN cat what > who; env\n")
    said = madang(home, "build", str(folder), "-t", "on/top", "-t", "again:2")
    assert "GREETING=hello world" in said
    image = Store(home / ".images").find("on/top")
    assert image is not None
    assert image.refs == ("docker.io/on/top:latest", "docker.io/library/again:2")
    assert (image.config.user, image.config.workdir, image.config.cmd) == ("me", "/srv/app", ("echo $GREETING",))


def test_a_build_that_is_killed_leaves_nothing_and_goes_on_from_there(folder: Path, tmp_path: Path) -> None:
    home, mark = tmp_path / "home", f"54{os.getpid() % 10000:04d}"
    (folder / "Dockerfile").write_text(f"FROM scratch\nADD root.tar /\nRUN echo begun && sleep {mark}\n")
    build = subprocess.Popen(
        [sys.executable, "-m", "madang.cli", "build", str(folder), "-t", "try"],
        env={**os.environ, "MADANG_HOME": str(home)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert build.stdout is not None
    for line in build.stdout:
        if line.endswith("] begun\n"):
            break
    build.kill()
    build.wait()
    build.stdout.read()  # nobody holds its other end any more
    build.stdout.close()
    for _ in range(200):  # the kernel ends them, at its own pace
        if not (left := [p for p in Path("/proc").glob("[0-9]*/cmdline") if mark.encode() in content(p)]):
            break
        time.sleep(0.05)
    assert not left
    assert str(home) not in Path("/proc/self/mounts").read_text()
    (folder / "Dockerfile").write_text("FROM scratch\nADD root.tar /\nRUN echo again\n")
    assert "CACHED ADD root.tar" in madang(home, "build", str(folder), "-t", "try")
    assert list((home / ".build/work").iterdir()) == []
    assert no_cgroups(home)


def test_a_build_on_a_disk_that_fills(folder: Path, small_disk: Path) -> None:
    home = small_disk / "home"
    (folder / "large").write_bytes(os.urandom(40 << 20))
    (folder / "Dockerfile").write_text("FROM scratch\nADD root.tar /\nCOPY large /\n")
    said = madang(home, "build", str(folder), "-t", "try", code=1)
    assert "the disk is full: make room" in said and "Traceback" not in said
    assert Store(home / ".images").all() == []
    assert str(home) not in Path("/proc/self/mounts").read_text()
    (folder / "Dockerfile").write_text("FROM scratch\nADD root.tar /\n")
    assert "ADD root.tar" in madang(home, "build", str(folder), "-t", "try")
    assert list((home / ".build/work").iterdir()) == []


@pytest.mark.skipif(os.environ.get("MADANG_FAULTS") != "all", reason="the long form: MADANG_FAULTS=all")
@pytest.mark.timeout(600)
def test_builds_killed_anywhere(folder: Path, tmp_path: Path) -> None:
    """Thirty times after a random while: what is visible is whole, and the last build finds nothing in its way."""
    home, chance = tmp_path / "home", random.Random(4)
    command = [sys.executable, "-m", "madang.cli", "build", str(folder), "-t", "try"]
    began = time.monotonic()
    madang(tmp_path / "other", "build", str(folder), "-t", "try")
    whole_s = time.monotonic() - began
    for _ in range(30):
        build = subprocess.Popen(
            command, env={**os.environ, "MADANG_HOME": str(home)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.1, whole_s))
        build.kill()
        build.wait()
        for image in Store(home / ".images").all() if (home / ".images").exists() else []:
            assert all((layer.folder).is_dir() for layer in image.layers)
    assert madang(home, "build", str(folder), "-t", "try")
    assert str(home) not in Path("/proc/self/mounts").read_text()
    assert list((home / ".build/work").iterdir()) == [] and list((home / ".images/work").iterdir()) == []
    assert no_cgroups(home)


def test_a_failure_ends_the_other_stages(folder: Path, tmp_path: Path) -> None:
    (folder / "Dockerfile").write_text(
        "FROM scratch AS base\nADD root.tar /\nFROM base AS slow\nRUN sleep 5411\nFROM base AS wrong\n"
        "RUN sleep 0.5; exit 4\nFROM base\nCOPY --from=slow /bin/sh /a\nCOPY --from=wrong /bin/sh /b\n"
    )
    home = tmp_path / "home"
    assert "exit code: 4" in madang(home, "build", str(folder), "-t", "try", code=1)
    assert no_cgroups(home)


def no_cgroups(home: Path) -> bool:
    known = sha256(os.fsencode(home / ".build")).hexdigest()[:8]
    return not [p for top in cgroups() for p in top.glob(f"madang-build-{known}-*")]


def content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_what_is_fetched_is_fetched_again_only_to_see_whether_it_changed(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with serving(tmp_path / "www") as server:
        (server.folder / "word").write_text("one")
        told = f"sha256:{sha256(b'one').hexdigest()}"
        at = f"http://127.0.0.1:{server.server_port}/word"
        (folder / "Dockerfile").write_text(
            f"FROM scratch\nADD --checksum={told} {at} /sure\nADD --chmod=644 {at} /d/\n"
        )
        first = built(home, folder, no_proxy="127.0.0.1")
        assert built(home, folder, no_proxy="127.0.0.1") == first
        assert len(server.asked) == 3, "what a checksum names is known from before"
        (server.folder / "word").write_text("two")
        second = built(home, folder, no_proxy="127.0.0.1")
    _, seen = unpacked(home, tmp_path / "seen")
    assert second["digest"] != first["digest"]
    assert {name: found[3][1] for name, found in seen.items() if found[3]} == {"sure": b"one", "d/word": b"two"}
    assert (seen["sure"][0], seen["d/word"][0]) == ("0o100600", "0o100644")
