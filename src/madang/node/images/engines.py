"""Images that Docker or Podman keep on this machine: found by name, and taken over without asking any registry.

In: a reference, the environment (`DOCKER_HOST`), a folder to write to. Out: an archive as `save` makes it, with who
gave it; None where nobody has it. An engine that is not there, or will not speak to us, has nothing.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from madang.node.images.limits import LIMITS, NoRoom
from madang.node.images.reference import Reference

DOCKER, PODMAN = ENGINES = "Docker", "Podman"
SOCKET = "/var/run/docker.sock"
_ASK_S, _SILENCE_S = 2.0, 60.0


def taken(image: Reference, file: Path, environment: Mapping[str, str] = os.environ) -> str:
    """The engine that had it, when `file` holds the archive; else empty."""
    if _from_docker(image, file, environment):
        return DOCKER
    return PODMAN if _from_podman(image, file, environment) else ""


def docker_socket(environment: Mapping[str, str]) -> str:
    """Empty where Docker is not on this machine."""
    said = environment.get("DOCKER_HOST", "")
    if said and not said.startswith("unix://"):
        return ""
    path = said.removeprefix("unix://") or SOCKET
    return path if os.path.exists(path) else ""


def _from_docker(image: Reference, file: Path, environment: Mapping[str, str]) -> bool:
    socket = docker_socket(environment)
    if not socket:
        return False
    import httpx  # only the process that brings images needs it, others want the names alone

    waits = httpx.Timeout(_SILENCE_S, connect=_ASK_S)
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=socket), base_url="http://docker", timeout=waits) as client:
            if client.get(f"/images/{image}/json", timeout=_ASK_S).status_code != 200:
                return False
            with client.stream("GET", f"/images/{image}/get") as answer, open(file, "wb") as out:
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


def _from_podman(image: Reference, file: Path, environment: Mapping[str, str]) -> bool:
    if shutil.which("podman", path=environment.get("PATH")) is None or not _ever_used(environment):
        return False
    name = image.familiar  # what was built as `cart:1` is `localhost/cart:1` there
    try:
        if _podman("image", "exists", name, within_s=_SILENCE_S / 6).returncode != 0:
            return False
        return _podman("save", "--quiet", "-o", str(file), name, within_s=None).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _podman(*words: str, within_s: float | None) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        ["podman", *words], capture_output=True, timeout=within_s, check=False, stdin=subprocess.DEVNULL
    )


def _ever_used(environment: Mapping[str, str]) -> bool:
    """Whether there can be images: podman would make its folders only to say that there are none."""
    home = Path(environment.get("HOME") or "/")
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "containers/storage.conf"
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local/share") / "containers/storage"
    settings = environment.get("CONTAINERS_STORAGE_CONF") or config
    usual = Path("/var/lib/containers/storage") if os.geteuid() == 0 else data
    return any(os.path.exists(path) for path in (settings, "/etc/containers/storage.conf", usual))
