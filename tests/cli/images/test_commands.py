"""`madang image ...` as it is typed."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from madang.cli.images.opened import bytes_of, size
from madang.cli.main import app
from madang.cli.refusal import Refusal
from madang.node.building.cache import Cache
from madang.node.images.store import Store
from madang.web.shelf import size_of
from tests.node.images.made import image_blobs, member, oci_archive, tar
from tests.node.images.registry.fake import serving

LOWER, UPPER = tar(member("a", b"lower")), tar(member("a", b"upper"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MADANG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MADANG_NAME", "default")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    images = [
        ("docker.io/library/redis:7", *image_blobs([LOWER])),
        ("example.org/cart:1", *image_blobs([LOWER, UPPER])),
    ]
    oci_archive(tmp_path / "a.tar", *images)
    return tmp_path / "home"


def image(*words: str) -> Result:
    found = CliRunner().invoke(app, ["image", *words])
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    assert found.exit_code == 0, found.output
    return found


def listed() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(image("ls", "-o", "json").stdout)
    return found


def test_load_and_look(home: Path) -> None:
    assert "loaded docker.io/library/redis:7" in image("load", "a.tar").stdout
    assert [w for line in image("ls").stdout.splitlines()[1:] for w in line.split()[:2]] == [
        "example.org/cart", "1", "redis", "7",
    ]  # fmt: skip
    (shown,) = json.loads(image("inspect", "redis:7").stdout)
    assert shown["RepoTags"] == ["redis:7"] and len(shown["RootFS"]["Layers"]) == 1 and shown["Os"] == "linux"
    assert json.loads(image("inspect", shown["Id"][7:15]).stdout)[0]["Id"] == shown["Id"]
    groups = [line.split()[0] for line in image("history", "example.org/cart:1").stdout.splitlines()]
    assert groups == ["GROUP", "application", "base"]
    (home / ".images").stat()
    assert (home / ".images").stat().st_mode & 0o77 == 0


def test_save_and_load_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image("load", "a.tar")
    image("tag", "redis:7", "mine", "localhost:5000/mine:2")
    before = listed()
    image("save", "redis:7", "mine", "example.org/cart:1", "-f", "b.tar")
    image("save", "redis:7", "mine", "example.org/cart:1", "-f", "c.tar")
    assert Path("b.tar").read_bytes() == Path("c.tar").read_bytes() and not list(tmp_path.glob(".*.new"))
    monkeypatch.setenv("MADANG_HOME", str(tmp_path / "other"))
    image("load", "b.tar")
    assert [i["digest"] for i in listed()] == [i["digest"] for i in before]
    assert {r for i in listed() for r in i["refs"]} == {
        "docker.io/library/redis:7", "docker.io/library/mine:latest", "example.org/cart:1",
    }  # fmt: skip


def test_removing(home: Path) -> None:
    image("load", "a.tar")
    image("tag", "redis:7", "mine")
    assert "untagged docker.io/library/mine:latest" in image("rm", "mine").stdout
    image("rm", "redis:7")
    images = Store(home / ".images")
    assert len(images.all()) == 1 and len(list(images.layout.trees.iterdir())) == 2
    image("rm", "example.org/cart:1")
    assert not list(images.layout.blobs.iterdir()) + list(images.layout.trees.iterdir())


def test_what_is_used_stays(home: Path) -> None:
    image("load", "a.tar")
    images = Store(home / ".images")
    used = images.find("redis:7")
    assert used is not None
    images.hold(used, "c1")
    with pytest.raises(Refusal, match="used by c1"):
        image("rm", "redis:7")
    image("prune", "--all")
    assert [i["refs"] for i in listed()] == [["docker.io/library/redis:7"]]
    image("rm", "--force", "redis:7")
    image("prune", "--all")
    assert [(i["refs"], i["usedBy"]) for i in listed()] == [([], ["c1"])] and used.layers[0].folder.exists()
    images.release(used.digest, "c1")
    image("prune")
    assert listed() == [] and not used.layers[0].folder.exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["load", "missing.tar"], "nothing was loaded: missing.tar: No such file"),
        (["load", "a.tar", "-t", "x"], "which of them is to be named x"),
        (["inspect", "reids:7"], "did you mean redis:7"),
        (["inspect", "Redis"], "lower case"),
        (["rm", "sha256:" + "0" * 64], "is not here"),
        (["tag", "redis:7", "x@sha256:" + "0" * 64], "a digest is not given"),
        (["save", "redis:7", "-f", "no/folder/x.tar"], "nothing was saved"),
    ],
)
def test_refusals(words: list[str], says: str) -> None:
    image("load", "a.tar")
    with pytest.raises(Refusal, match=says):
        image(*words)


def test_standard_output(capfdbinary: Any) -> None:
    image("load", "a.tar")
    body = image("save", "redis:7").stdout_bytes
    Path("out.tar").write_bytes(body)
    image("load", "out.tar", "-t", "again")
    assert os.path.getsize("out.tar") == len(body)


def test_pull_and_push(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("MADANG_MIRRORS", raising=False)
    image("load", "a.tar")
    with serving() as registry:
        name = f"{registry.domain}/cart:1"
        image("tag", "example.org/cart:1", name)
        assert f"pushed {name} as sha256:" in image("push", name).stdout
        digest = json.loads(image("push", name, "-o", "json").stdout)["digest"]
        image("rm", "--force", name)
        assert f"pulled {name}" in image("pull", name).stdout
        assert json.loads(image("pull", name, "-o", "json").stdout)["digest"] == digest
        for words, says in ((("pull", f"{name}0"), "nothing was pulled: .* 404"), (("push", "x"), "not pushed: x: no")):
            with pytest.raises(Refusal, match=says):
                image(*words)


def test_sizes_as_people_write_them() -> None:
    assert [bytes_of(text, "--keep") for text in ("2GB", "500 MB", "1.5k", "0", "7")] == [
        2 * 10**9, 500 * 10**6, 1500, 0, 7
    ]  # fmt: skip
    for wrong in ("", "much", "-"):
        with pytest.raises(Refusal, match="expected a size such as 500MB"):
            bytes_of(wrong, "--keep")


def test_the_cache_of_builds_is_forgotten(home: Path) -> None:
    cache = Cache(home / ".build")
    assert cache is not None and "0 B freed" in image("prune", "--builds", "--keep", "1GB").stdout
    with pytest.raises(Refusal, match="--keep: only with --builds"):
        image("prune", "--keep", "1GB")
    with cache.used(), pytest.raises(Refusal, match="a build is under way"):
        image("prune", "--builds")


@pytest.mark.parametrize("count", [0, 7, 999, 999.4, 999.7, 1000, 999_400, 999_700, 12_345_678, 999_999_999, 1.5e12])
def test_a_size_is_three_digits_and_the_same_on_the_dashboard(count: float) -> None:
    assert "e" not in size(count) and size(count) == size_of(count)
