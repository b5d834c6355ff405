"""A fresh clone with cold caches: `./dev demo` to the page's first 200. Downloads count, and are what most of it is.

The clone is what is committed here; home, caches and state are folders of its own. Every line is shown with its second.
"""

import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from bench.court import ROOT, free_port, load
from bench.table import Measure, show

PATIENCE_S = 300
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
KEPT = (
    "PATH",
    "LANG",
    "PIP_INDEX_URL",
    "PIP_CONFIG_FILE",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "SSL_CERT_FILE",
    *PROXIES,
)


def fresh(folder: Path) -> dict[str, str]:
    """Nothing of this user's but the way to the package index."""
    env = {key: os.environ[key] for key in KEPT if key in os.environ}
    for key, name in (
        ("HOME", "home"), ("XDG_CACHE_HOME", "cache"), ("XDG_STATE_HOME", "state"), ("XDG_CONFIG_HOME", "config"),
        ("PIP_CACHE_DIR", "pip"), ("UV_CACHE_DIR", "uv"),
    ):  # fmt: skip
        (folder / name).mkdir(exist_ok=True)
        env[key] = str(folder / name)
    return env


def clone(folder: Path) -> Path:
    here = folder / "madang"
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(here)], check=True)
    return here


def first_page(here: Path, env: dict[str, str]) -> float:
    port = env["SHOP_PORT"] = str(free_port())  # so that nobody's shop is in the way
    name = f"d{os.getpid() % 100000}"
    begin = time.monotonic()
    demo = subprocess.Popen(
        ["./dev", "demo", "--name", name, "--detach"],
        cwd=here, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert demo.stdout is not None
    out = demo.stdout

    def tell() -> None:
        for line in out:
            print(f"  {time.monotonic() - begin:6.1f} s  {line.rstrip()[:110]}", flush=True)

    telling = threading.Thread(target=tell)
    telling.start()
    try:
        while time.monotonic() - begin < PATIENCE_S and demo.poll() in (None, 0):
            try:
                with urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                    if answer.status == 200:
                        return time.monotonic() - begin
            except (URLError, OSError):
                time.sleep(0.02)
        raise RuntimeError("the page did not come")
    finally:
        demo.wait()
        telling.join()
        out.close()
        subprocess.run([here / ".venv/bin/madang", "down", "--name", name, "--purge"], env=env, check=False)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="madang-bench-") as name:
        here = clone(Path(name))
        took = first_page(here, fresh(Path(name)))
    show(
        f"A fresh clone ({load()})", [Measure("./dev demo, cold caches, to the page's first 200", [took], "s", "90 s")]
    )
