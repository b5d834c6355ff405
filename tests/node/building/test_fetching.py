"""ADD from elsewhere: what servers on this machine's own loopback give, and what is wrong with it."""

import hashlib
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from madang.node.building.copying import Failed, copy
from madang.node.building.fetching import Fetching
from madang.node.building.trees import Tree
from madang.node.images.build.remotes import Remote
from madang.node.images.build.steps import CONTEXT, Files
from tests.node.building.loopback import Server, serving

BODY = b"what was fetched\n"
SHA = f"sha256:{hashlib.sha256(BODY).hexdigest()}"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(tmp_path / "www") as made:
        (made.folder / "file.txt").write_bytes(BODY)
        yield made


def at(server: Server, path: str) -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


def file(server: Server, path: str, checksum: str = "") -> Remote:
    return Remote("file", at(server, path), 3, checksum)


def test_a_file_is_fetched_once_and_is_its_owner_s_alone(server: Server, tmp_path: Path) -> None:
    fetching = Fetching(tmp_path / "work")
    one = file(server, "/file.txt?version=2")
    assert fetching.digest(one) == SHA
    tree, patterns = fetching.tree(one)
    assert patterns == ("file.txt",) and (tree.root / "file.txt").read_bytes() == BODY
    assert stat.S_IMODE((tree.root / "file.txt").stat().st_mode) == 0o600
    assert server.asked == ["/file.txt?version=2"]
    assert fetching.digest(file(server, "/moved")) == SHA


def test_a_known_checksum_is_believed_until_the_file_is_needed(server: Server, tmp_path: Path) -> None:
    fetching = Fetching(tmp_path / "work")
    good, bad = file(server, "/file.txt", SHA), file(server, "/file.txt", f"sha256:{'0' * 64}")
    assert fetching.digest(good) == SHA and fetching.digest(bad) == bad.checksum and server.asked == []
    fetching.tree(good)
    with pytest.raises(Failed, match=f"line 3: ADD http.*: its checksum is {SHA}, expected sha256:0000"):
        fetching.tree(bad)


def test_what_cannot_be_fetched(server: Server, tmp_path: Path) -> None:
    fetching = Fetching(tmp_path / "work")
    with pytest.raises(Failed, match=r"line 3: ADD http.*/nothing: answered 404"):
        fetching.digest(file(server, "/nothing"))
    with pytest.raises(Failed, match=re.escape("line 3: ADD http://127.0.0.1:1/x")):
        fetching.digest(Remote("file", "http://127.0.0.1:1/x", 3))


def test_it_is_copied_as_it_is_archives_too(server: Server, tmp_path: Path) -> None:
    shutil.make_archive(str(server.folder / "a"), "tar", server.folder)
    (tmp_path / "root").mkdir()
    fetching, archive = Fetching(tmp_path / "work"), file(server, "/a.tar")
    step = Files(3, "ADD", "k", CONTEXT, (), "/opt/", unpack=True, remotes=(archive,))
    if os.geteuid() != 0:
        pytest.skip("files of others are made by root alone")
    copy(step, Tree(tmp_path), Tree(tmp_path / "root"), 1000, [fetching.tree(archive)])
    made = tmp_path / "root" / "opt" / "a.tar"
    assert made.stat().st_size > 1000 and made.stat().st_mtime == 1000


@pytest.fixture
def repository(server: Server, tmp_path: Path) -> str:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    work = tmp_path / "repository"
    (work / "sub").mkdir(parents=True)
    (work / "sub" / "word").write_text("one")
    (work / "run.sh").write_text("#!/bin/sh\n")
    (work / "run.sh").chmod(0o755)
    own = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    who = ("-c", "user.name=a", "-c", "user.email=a@b")

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", *who, *words], cwd=work, env=own, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    git("tag", "v1")
    first = git("rev-parse", "HEAD")
    (work / "sub" / "word").write_text("two")
    git("commit", "-q", "-am", "two")
    git("clone", "-q", "--bare", ".", str(server.folder / "shop.git"))
    subprocess.run(["git", "update-server-info"], cwd=server.folder / "shop.git", env=own, check=True)
    return first


def cloned(server: Server, tmp_path: Path, ref: str = "", folder: str = "", checksum: str = "") -> tuple[str, Path]:
    one = Remote("git", at(server, "/shop.git"), 3, checksum, ref, folder)
    fetching = Fetching(tmp_path / f"work{len(list(tmp_path.iterdir()))}")
    tree, patterns = fetching.tree(one)
    assert patterns == (folder or ".",) and not (tree.root / ".git").exists()
    return fetching.digest(one), tree.root


def test_a_repository_at_its_head_a_tag_a_branch_or_a_commit(server: Server, repository: str, tmp_path: Path) -> None:
    head, root = cloned(server, tmp_path, folder="sub")
    assert (root / "sub" / "word").read_text() == "two" and head != repository
    assert stat.S_IMODE((root / "run.sh").stat().st_mode) == 0o755
    assert cloned(server, tmp_path, "main")[0] == head
    assert cloned(server, tmp_path, "v1")[0] == cloned(server, tmp_path, repository)[0] == repository
    assert cloned(server, tmp_path, "v1", checksum=repository[:9])[0] == repository
    with pytest.raises(Failed, match=f"its commit is {head}, expected {repository}"):
        cloned(server, tmp_path, "main", checksum=repository)
    with pytest.raises(Failed, match=re.escape("git checkout: ")):
        cloned(server, tmp_path, "nothing")
