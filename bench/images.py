"""Unpacking an image of 200 MB: `madang image load` beside `tar` alone and `podman load`, each from a warm page cache.

The layer is 200 MB of this machine's own /usr: real programs and small files, packed as images are. Ours writes the
tree, keeps the blob, checks both digests, and both are on disk when it returns; `tar` writes the tree alone, and is
told with and without a sync of the file system after it.
"""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from bench.court import quiet
from bench.table import Measure, show

SIZE = int(os.environ.get("BENCH_MB", "200")) * 1_000_000
RUNS = int(os.environ.get("BENCH_RUNS", "3"))  # eight ways, and each is waited for: two or three minutes in all
LARGEST = 2_000_000  # of a file: 200 MB of an image are thousands of files, not one browser
LAYER = "application/vnd.oci.image.layer.v1.tar"


def layer(target: Path) -> int:
    """How many files are in it."""
    size = count = 0
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        for top, folders, names in os.walk("/usr"):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(top, name)
                if size > SIZE:
                    return count
                if not os.access(path, os.R_OK) or not (os.path.isfile(path) or os.path.islink(path)):
                    continue
                if os.lstat(path).st_size > LARGEST:
                    continue
                archive.add(path, recursive=False)
                size, count = size + os.lstat(path).st_size, count + 1
    return count


def archive(target: Path, blob: bytes, diff_id: str, packed: str) -> None:
    """An OCI archive with that one layer."""

    def about(body: bytes, kind: str) -> dict[str, Any]:
        return {"mediaType": kind, "digest": f"sha256:{hashlib.sha256(body).hexdigest()}", "size": len(body)}

    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [diff_id]}}
    ).encode()
    kind = "application/vnd.oci.image.manifest.v1+json"
    described = {"config": about(config, "application/vnd.oci.image.config.v1+json"), "layers": [about(blob, packed)]}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, **described}).encode()
    index = {"schemaVersion": 2, "manifests": [about(manifest, kind)]}
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": json.dumps(index).encode()}
    files |= {f"blobs/sha256/{hashlib.sha256(b).hexdigest()}": b for b in (config, manifest, blob)}
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        for name, body in files.items():
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).write_bytes(body)
        subprocess.run(["tar", "-cf", target, "-C", folder, *files], check=True)


def ours(store: Path, source: Path) -> None:
    job = json.dumps({"folder": str(store), "archive": str(source), "tags": ["bench"], "platform": ""})
    with subprocess.Popen(
        [sys.executable, "-m", "madang.node.images.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdin is not None and worker.stdout is not None
        worker.stdin.write(job + "\n")
        worker.stdin.flush()
        last = worker.stdout.read()
    if worker.returncode:
        raise RuntimeError(last)


def podman(store: Path, source: Path) -> None:
    at = ["--root", store / "root", "--runroot", store / "run", "--tmpdir", store / "tmp"]
    subprocess.run(["podman", *at, "load", "-q", "-i", source], check=True, capture_output=True)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="madang-bench-") as folder:
        top = Path(folder)
        plain = top / "layer.tar"
        count = layer(plain)
        body = plain.read_bytes()
        diff_id = f"sha256:{hashlib.sha256(body).hexdigest()}"
        gzipped = top / "layer.tar.gz"
        gzipped.write_bytes(gzip.compress(body, 6, mtime=0))
        archive(top / "plain", body, diff_id, LAYER)
        archive(top / "gzip", gzipped.read_bytes(), diff_id, f"{LAYER}+gzip")
        del body
        ways: dict[str, Callable[[Path], object]] = {}
        for name, tar in (("gzip", gzipped), ("plain", plain)):
            source = top / name
            ways[f"{name}: tar -x"] = lambda to, tar=tar: subprocess.run(["tar", "-xf", tar, "-C", to], check=True)
            ways[f"{name}: tar -x; sync -f"] = lambda to, tar=tar: subprocess.run(
                ["sh", "-c", 'tar -xf "$0" -C "$1" && sync -f "$1"', tar, to], check=True
            )
            ways[f"{name}: madang image load"] = lambda to, source=source: ours(to, source)
            if shutil.which("podman") and os.geteuid() == 0:
                ways[f"{name}: podman load"] = lambda to, source=source: podman(to, source)
        took = timed(top, ways)
        show(f"images: one layer of {SIZE // 10**6} MB, {count} files", rows(took))


def timed(top: Path, ways: dict[str, Callable[[Path], object]]) -> dict[str, list[float]]:
    """In turns, so that what else the machine does falls on all alike."""
    took: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(RUNS):
        for way, run in ways.items():
            quiet()
            to = top / "to"
            to.mkdir()
            os.sync()
            begin = time.perf_counter()
            run(to)
            took[way].append(time.perf_counter() - begin)
            if os.path.ismount(overlay := to / "root" / "overlay"):  # podman may leave it mounted
                subprocess.run(["umount", overlay], check=True)
            subprocess.run(["rm", "-rf", to], check=True)
    return took


def rows(took: dict[str, list[float]]) -> list[Measure]:
    found = []
    for way, values in took.items():
        packing = way.partition(":")[0]
        times = median(values) / median(took[f"{packing}: tar -x"])
        goal = "1.3 x of tar alone" if "madang" in way else ""
        found.append(Measure(way, values, "s", goal, f"{times:.2f} x of tar alone"))
    return found
