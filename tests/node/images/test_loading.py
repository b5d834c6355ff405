"""A load as a whole: every form of archive, every lie, and a kill at each step."""

import gzip
import io
import json
import os
import signal
import tarfile
from pathlib import Path
from typing import Any

import pytest

from madang.node.images.collection import sweep
from madang.node.images.flow import zstd
from madang.node.images.layout import MANIFEST, Layout
from madang.node.images.limits import BadArchive
from madang.node.images.loading import take
from madang.node.images.offers import here
from madang.node.images.store import Store
from tests.node.images.made import about, config_of, image_blobs, member, oci_archive, sha256, tar

LOWER = tar(member("a", b"lower"), member("b", b"lower"))
UPPER = tar(member("a", b"upper"), member(".wh.b", b""))
REDIS = "docker.io/library/redis:7"


def quiet(part: str, done: int, total: int) -> None:
    pass


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "images")


def oci(tmp_path: Path, **run: Any) -> Path:
    return oci_archive(tmp_path / "oci.tar", (REDIS, *image_blobs([LOWER, UPPER], **run)))


def docker(tmp_path: Path, layers: dict[str, bytes], *more: tuple[tarfile.TarInfo, bytes]) -> Path:
    config = json.dumps(config_of([LOWER, UPPER])).encode()
    files = [{"Config": "c.json", "RepoTags": ["redis:7", "other"], "Layers": ["1/layer.tar", "2/layer.tar"]}]
    path = tmp_path / "docker.tar"
    members = [member(n, b) for n, b in layers.items()]
    path.write_bytes(
        tar(*members, *more, member("c.json", config), member("manifest.json", json.dumps(files).encode()))
    )
    return path


def test_an_oci_archive(tmp_path: Path, layout: Layout) -> None:
    said: list[tuple[str, int, int]] = []
    (digest,) = take(layout, oci(tmp_path, Cmd=["x"]), lambda *s: said.append(s))
    image = Store(layout.home).find("redis:7")
    assert image is not None and image.digest == digest and image.config.cmd == ("x",)
    lower, upper = image.layers
    assert (lower.folder / "a").read_text() == "lower" and (upper.folder / "a").read_text() == "upper"
    assert image.size == 15 and {s[0] for s in said} == {"1/2", "2/2"} and all(d <= t for _, d, t in said)
    assert sha256(layout.blob(lower.digest).read_bytes()) == lower.digest and not list(layout.work.iterdir())


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
def test_a_docker_archive_packed_or_not(tmp_path: Path, layout: Layout, pack: Any) -> None:
    path = docker(tmp_path, {"1/layer.tar": LOWER, "2/layer.tar": UPPER})
    path.write_bytes(pack(path.read_bytes()))
    (digest,) = take(layout, path, quiet)
    image = Store(layout.home).find("other")
    assert image is not None and image.refs == (REDIS, "docker.io/library/other:latest") and image.digest == digest
    assert [layer.digest for layer in image.layers] == [sha256(LOWER), sha256(UPPER)]
    assert take(layout, path, quiet) == [digest] and len(Store(layout.home).all()) == 1


def test_a_docker_archive_whose_layers_are_links_or_packed(tmp_path: Path, layout: Layout) -> None:
    shared = member("2/layer.tar", type=tarfile.SYMTYPE, linkname="../3/layer.tar")
    take(layout, docker(tmp_path, {"1/layer.tar": gzip.compress(LOWER), "3/layer.tar": UPPER}, shared), quiet)
    image = Store(layout.home).find("redis:7")
    assert image is not None and [layer.diff_id for layer in image.layers] == [sha256(LOWER), sha256(UPPER)]
    manifest = json.loads(layout.blob(image.digest).read_bytes())
    assert [m["mediaType"][-4:] for m in manifest["layers"]] == ["gzip", ".tar"]


def test_a_folder_and_names(tmp_path: Path, layout: Layout) -> None:
    with tarfile.open(oci(tmp_path)) as archive:
        for each in archive:
            target = tmp_path / "folder" / each.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.extractfile(each).read())  # type: ignore[union-attr]
    take(layout, tmp_path / "folder", quiet, tags=("mine:1", "localhost:5000/mine"))
    assert [i.refs for i in Store(layout.home).all()] == [("docker.io/library/mine:1", "localhost:5000/mine:latest")]
    with pytest.raises(ValueError, match="lower case"):
        take(layout, tmp_path / "folder", quiet, tags=("Mine",))


def test_several_platforms(tmp_path: Path, layout: Layout) -> None:
    mine, blobs = image_blobs([LOWER])
    other, others = image_blobs([UPPER])
    foreign = "linux/s390x" if here() != "linux/s390x" else "linux/amd64"
    runs = [{"os": p.split("/")[0], "architecture": p.split("/")[1]} for p in (foreign, here())]
    inner = [{**about(b[d], MANIFEST), "platform": p} for (d, b), p in zip([(other, others), (mine, blobs)], runs)]
    index = json.dumps({"schemaVersion": 2, "manifests": inner}).encode()
    everything = {**blobs, **others, sha256(index): index}
    path = oci_archive(tmp_path / "a.tar", (REDIS, sha256(index), everything))
    body = path.read_bytes().replace(MANIFEST.encode(), b"application/vnd.oci.image.index.v1+json", 1)
    with tarfile.open(path) as archive:
        files = {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]
    files["index.json"] = files["index.json"].replace(b"image.manifest.v1", b"image.index.v1")
    assert body != path.read_bytes()
    path.write_bytes(tar(*(member(n, b) for n, b in files.items())))
    assert take(layout, path, quiet) == [mine] and take(layout, path, quiet, platform=foreign) == [other]
    assert Store(layout.home).find(f"redis@{sha256(index)}") is not None
    with pytest.raises(BadArchive, match=f"is for {foreign}, .*, not for linux/none"):
        take(layout, path, quiet, platform="linux/none")


def wrong(change: str, digest: str, blobs: dict[str, bytes]) -> tuple[str, dict[str, bytes]]:
    """The same image with one lie, its manifest's digest made right again where that is needed to get so far."""
    manifest = json.loads(blobs[digest])
    layer, config = manifest["layers"][0], json.loads(blobs[manifest["config"]["digest"]])
    match change:
        case "layer bytes":
            blobs[layer["digest"]] = gzip.compress(UPPER, mtime=0)
            layer["size"] = len(blobs[layer["digest"]])
        case "layer size":
            layer["size"] += 1
        case "diff_id":
            config["rootfs"]["diff_ids"][0] = sha256(b"")
        case "fewer diff_ids":
            config["rootfs"]["diff_ids"].pop()
        case "config bytes":
            blobs[manifest["config"]["digest"]] += b" "
        case "layer missing":
            del blobs[layer["digest"]]
    body = json.dumps(config).encode()
    if change in ("diff_id", "fewer diff_ids"):
        blobs[sha256(body)] = body
        manifest["config"] = about(body, "")
    whole = json.dumps(manifest).encode()
    return sha256(whole), {**blobs, sha256(whole): whole}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("layer bytes", "it holds something else: its digest is"),
        ("layer size", "bytes, .* were announced"),
        ("diff_id", "the configuration says"),
        ("fewer diff_ids", "2 layers, but its configuration names 1"),
        ("config bytes", "were announced"),
        ("layer missing", "is not in the archive"),
    ],
)
def test_lies(tmp_path: Path, layout: Layout, change: str, says: str) -> None:
    path = oci_archive(tmp_path / "a.tar", (REDIS, *wrong(change, *image_blobs([LOWER, UPPER]))))
    with pytest.raises(BadArchive, match=says):
        take(layout, path, quiet)
    assert Store(layout.home).all() == [] and not list(layout.work.iterdir())
    named = {p.name for p in layout.blobs.iterdir()}
    assert all(sha256(layout.blob(f"sha256:{n}").read_bytes()) == f"sha256:{n}" for n in named)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "empty file|without files"),
        ({"x": b""}, "neither index.json nor manifest.json"),
        ({"index.json": b"[" * 100_000}, "no JSON"),
        ({"index.json": b"{}"}, "manifests: expected a list"),
        ({"index.json": b'{"manifests": []}'}, "holds no image"),
        ({"index.json": b'{"manifests": [{"digest": "sha256:../../x", "size": 1}]}'}, "64 hexadecimal digits"),
        ({"manifest.json": b"{}"}, "expected a list"),
        ({"manifest.json": b'[{"Config": "../../etc/passwd"}]'}, "climbs"),
        ({"manifest.json": b'[{"Config": 1}]'}, "the name of a file"),
        ({"index.json": b" " * (5 << 20)}, "at most 4194304"),
    ],
)
def test_no_archive_of_images(tmp_path: Path, layout: Layout, files: dict[str, bytes], says: str) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar(*(member(n, b) for n, b in files.items())))
    with pytest.raises(BadArchive, match=says):
        take(layout, path, quiet)


def test_an_archive_cut_anywhere_is_refused(tmp_path: Path, layout: Layout) -> None:
    path = oci(tmp_path)
    whole = path.read_bytes()
    used = len(whole.rstrip(b"\0"))
    for cut in range(0, used, 700):
        path.write_bytes(whole[:cut])
        with pytest.raises(BadArchive):
            take(layout, path, quiet)
    assert Store(layout.home).all() == []


def test_a_folder_of_which_a_layer_says_nothing_is_as_below(tmp_path: Path, layout: Layout) -> None:
    closed = tar(member("d", type=tarfile.DIRTYPE, mode=0o1700), member("e", type=tarfile.DIRTYPE, mode=0o700))
    over = tar(member("d/x", b"x"), member(".wh.e", b""), member("e/x", b"x"))
    take(layout, oci_archive(tmp_path / "1", ("x.org/closed:1", *image_blobs([closed, over, over]))), quiet)
    take(layout, oci_archive(tmp_path / "2", ("x.org/open:1", *image_blobs([LOWER, over]))), quiet)
    take(layout, oci_archive(tmp_path / "3", ("x.org/both:1", *image_blobs([closed, over]))), quiet)
    images = {name: Store(layout.home).find(f"x.org/{name}:1") for name in ("closed", "open", "both")}
    tops = {name: image.layers[1].folder for name, image in images.items() if image}
    modes = {n: tuple((top / d).stat().st_mode & 0o7777 for d in ("d", "e")) for n, top in tops.items()}
    assert modes == {"closed": (0o1700, 0o755), "open": (0o755, 0o755), "both": (0o1700, 0o755)}
    assert tops["closed"] == tops["both"] and len(list(layout.trees.iterdir())) == 5
    assert sweep(layout) == 0


@pytest.mark.parametrize(
    "above",
    [
        [tar(member("d/x", b"x"), member(".wh.d", b""))],
        [tar(member(".wh.d", b"")), tar(member("d/x", b"x"))],
        [tar(member("d", b"a file")), tar(member("d/x", b"x"))],
    ],
    ids=["hidden in the same layer", "hidden between", "a file between"],
)
def test_a_folder_made_anew_is_not_as_below(tmp_path: Path, layout: Layout, above: list[bytes]) -> None:
    closed = tar(member("d", type=tarfile.DIRTYPE, mode=0o700))
    take(layout, oci_archive(tmp_path / "1", (REDIS, *image_blobs([closed, *above]))), quiet)
    image = Store(layout.home).find(REDIS)
    assert image is not None and (image.folders[0] / "d").stat().st_mode & 0o7777 == 0o755


def test_a_layer_that_comes_twice_is_stacked_once(tmp_path: Path, layout: Layout) -> None:
    take(layout, oci_archive(tmp_path / "1", (REDIS, *image_blobs([LOWER, UPPER, LOWER]))), quiet)
    image = Store(layout.home).find(REDIS)
    assert image is not None and len(image.layers) == 3
    assert [(f / "a").read_text() for f in image.folders] == ["lower", "upper"]


STEPS = ("open", "write", "mkdir", "rename", "replace", "fsync", "mknod", "fchmod", "unlink", "rmdir", "pread")


def killed_at(step: int, layout: Layout, archive: Path) -> bool:
    """Load in a child that gets SIGKILL at its so-many-th call that touches the disk; whether it came so far."""
    child = os.fork()
    if child == 0:
        left = step

        def counted(call: Any) -> Any:
            def counting(*args: Any, **more: Any) -> Any:
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*args, **more)

            return counting

        for each in STEPS:
            setattr(os, each, counted(getattr(os, each)))
        io.open = counted(io.open)
        code = 1
        try:
            take(layout, archive, quiet)
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_killed_at_every_step(tmp_path: Path) -> None:
    """What is visible after each kill is whole, the next load brings the image, a collection leaves nothing over."""
    archive, step, seen = oci(tmp_path), 0, 0
    while True:
        step += 1
        layout = Layout(tmp_path / f"images{step}")
        if not killed_at(step, layout, archive):
            break
        layout.make()
        image = Store(layout.home).find("redis:7")
        seen += image is not None
        for blob in layout.blobs.iterdir():
            assert sha256(blob.read_bytes()) == f"sha256:{blob.name}", f"step {step}: a half-written blob is visible"
        for tree in layout.trees.iterdir():
            diff_id = json.loads((tree / "record.json").read_bytes())["diff_id"]
            assert (tree / "fs" / "a").read_text() == ("lower" if diff_id == sha256(LOWER) else "upper")
        take(layout, archive, quiet)
        assert Store(layout.home).find("redis:7") is not None, f"step {step}"
        with layout.alone():
            assert not list(layout.work.iterdir())
    assert step > 60 and seen >= 1
