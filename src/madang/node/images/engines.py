"""Images that Docker or Podman keep on this machine: found by name, and taken over without asking any registry.

In: a reference, the environment (`DOCKER_HOST`), a folder to write to. Out: an archive as `save` makes it, with who
gave it; None where nobody has it. An engine that is not there, or will not speak to us, has nothing.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from madang.node.images.limits import LIMITS, NoRoom
from madang.node.images.reference import Reference

if TYPE_CHECKING:
    import httpx

DOCKER, PODMAN = ENGINES = "Docker", "Podman"
SOCKET = "/var/run/docker.sock"
_ASK_S, _PODMAN_S, _SILENCE_S = 2.0, 10.0, 60.0


def taken(image: Reference, file: Path, environment: Mapping[str, str] = os.environ) -> str:
    """The engine that had it, when `file` holds the archive; else empty."""
    if _from_docker(image, file, environment):
        return DOCKER
    return PODMAN if _from_podman(image, file, environment) else ""


def docker_socket(environment: Mapping[str, str]) -> str:
    """Empty where no Docker of this machine lets us in."""
    said = environment.get("DOCKER_HOST", "")
    if said and not said.startswith("unix://"):
        return ""
    path = said.removeprefix("unix://") or SOCKET
    with socket.socket(socket.AF_UNIX) as tried:
        tried.settimeout(_ASK_S)
        try:
            tried.connect(path)
        except OSError:
            return ""
    return path


def may_have(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether it is worth asking: by a look at files alone."""
    return bool(docker_socket(environment)) or _podman_may_have(environment)


def has(image: Reference, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `taken` would find it."""
    if path := docker_socket(environment):
        import httpx

        try:
            with _docker(path) as client:
                if _in_docker(client, image):
                    return True
        except httpx.HTTPError:
            pass
    return _in_podman(image, environment)


def _docker(path: str) -> "httpx.Client":
    import httpx  # only who speaks to an engine needs it, others want the names alone

    waits = httpx.Timeout(_SILENCE_S, connect=_ASK_S)
    return httpx.Client(transport=httpx.HTTPTransport(uds=path), base_url="http://docker", timeout=waits)


def _in_docker(client: "httpx.Client", image: Reference) -> bool:
    return client.get(f"/images/{image}/json", timeout=_ASK_S).status_code == 200


def _from_docker(image: Reference, file: Path, environment: Mapping[str, str]) -> bool:
    path = docker_socket(environment)
    if not path:
        return False
    import httpx

    try:
        with _docker(path) as client:
            if not _in_docker(client, image):
                return False
            with client.stream("GET", f"/images/{image}/get") as answer, open(file, "wb", buffering=0) as out:
                if answer.status_code != 200:
                    return False
                for chunk in answer.iter_raw(1 << 20):
                    _room(out.fileno(), len(chunk))
                    out.write(chunk)
            return True
    except httpx.HTTPError:
        return False


def _room(fd: int, more: int) -> None:
    disk = os.fstatvfs(fd)
    if disk.f_bavail * disk.f_frsize < LIMITS.reserve_bytes + more:
        raise NoRoom


def _in_podman(image: Reference, environment: Mapping[str, str]) -> bool:
    if shutil.which("podman", path=environment.get("PATH")) is None or not _podman_may_have(environment):
        return False
    try:
        # what was built as `cart:1` is `localhost/cart:1` there
        return _podman("image", "exists", image.familiar, within_s=_PODMAN_S).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _from_podman(image: Reference, file: Path, environment: Mapping[str, str]) -> bool:
    if not _in_podman(image, environment):
        return False
    try:
        return _podman("save", "--quiet", "-o", str(file), image.familiar, within_s=None).returncode == 0
    except OSError:
        return False


def _podman(*words: str, within_s: float | None) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        ["podman", *words], capture_output=True, timeout=within_s, check=False, stdin=subprocess.DEVNULL
    )


def _podman_may_have(environment: Mapping[str, str]) -> bool:
    """Podman itself takes a while to say that it has nothing: its list of images says so sooner. Where somebody keeps
    them elsewhere, only podman knows."""
    home = Path(environment.get("HOME") or "/")
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "containers/storage.conf"
    if environment.get("CONTAINERS_STORAGE_CONF") or config.exists() or os.path.exists("/etc/containers/storage.conf"):
        return True
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local/share") / "containers/storage"
    top = Path("/var/lib/containers/storage") if os.geteuid() == 0 else data
    return any(path.stat().st_size > len("[]") for path in top.glob("*-images/images.json"))
