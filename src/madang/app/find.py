"""Which files at a path are an application.

In: paths as a person gives them, and `-f`. Out: Compose files in their order, or manifests. A folder's Compose file
wins over manifests beside it; an override file is taken along where no `-f` was given.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from madang.app.application import ApplicationError
from madang.app.document import shown
from madang.app.overlay import beside

COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
MANIFESTS = (".yaml", ".yml", ".json")
FOREIGN = ("node_modules", "__pycache__")


@dataclass(frozen=True, slots=True)
class Files:
    """One of the two is empty."""

    compose: tuple[Path, ...] = ()
    manifests: tuple[Path, ...] = ()


def found_in(folder: Path) -> bool:
    """Is there an application here?"""
    return bool(compose_in(folder)) or any(looks_like_manifest(p) for p in manifests_in(folder))


def find(paths: Sequence[Path], given: Sequence[Path], override: bool = True) -> Files:
    """Without `override` what plain `up` takes by itself is left out: an environment has its own."""
    if given:
        base = paths[0] if paths and paths[0].is_dir() else Path()
        return Files(compose=tuple(existing(p if p.is_absolute() or p.exists() else base / p) for p in given))
    if not paths and (named := os.environ.get("COMPOSE_FILE")):
        separator = os.environ.get("COMPOSE_PATH_SEPARATOR", os.pathsep)
        return Files(compose=tuple(existing(Path(p)) for p in named.split(separator) if p))
    compose: list[Path] = []
    manifests: list[Path] = []
    for path in paths or [Path()]:
        existing(path)
        if path.is_file():
            (compose if is_compose(path) else manifests).append(path)
        elif here := compose_in(path, override):
            compose += here
        else:
            inside = [p for p in manifests_in(path) if looks_like_manifest(p)]
            if not inside:
                raise ApplicationError([nothing(path)])
            manifests += inside
    if compose and manifests:
        names = f"{shown(compose[0])} and {shown(manifests[0])}"
        raise ApplicationError([f"{names}: a Compose file and manifests are two applications; start them one by one"])
    return Files(tuple(compose), tuple(manifests))


def existing(path: Path) -> Path:
    if not path.exists():
        beside = sorted(p.name for p in path.parent.glob("*.y*ml")) if path.parent.is_dir() else []
        hint = f"; there is {', '.join(beside[:5])}" if beside else ""
        raise ApplicationError([f"{shown(path)}: no such file or folder{hint}"])
    return path


def nothing(path: Path) -> str:
    return (
        f"{shown(path.resolve())}: there is no application here: expected {', '.join(COMPOSE)}, "
        "or Kubernetes manifests (*.yaml, *.yml, *.json); name a file or a folder, or say -f FILE"
    )


def compose_in(folder: Path, override: bool = True) -> list[Path]:
    """The Compose file, and its override."""
    for name in COMPOSE:
        if (folder / name).is_file():
            return [folder / name, *(beside(folder / name, "override") if override else [])]
    return []


def manifests_in(folder: Path) -> list[Path]:
    return [p for p in walk(folder) if p.suffix in MANIFESTS]


def walk(folder: Path) -> Iterator[Path]:
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in FOREIGN and not is_home(top, f))
        yield from (Path(top) / name for name in sorted(names))


def is_home(top: str, folder: str) -> bool:
    """A courtyard's own folder, where MADANG_HOME lies beside an application: what is in there is nobody's manifest."""
    return os.path.exists(os.path.join(top, folder, "state.db"))


def looks_like_manifest(path: Path) -> bool:
    """A cheap look: a file that names apiVersion and kind."""
    try:
        with path.open(errors="replace") as file:
            text = file.read(65536)
    except OSError:
        return False
    return "apiVersion" in text and "kind" in text


def is_compose(path: Path) -> bool:
    if path.name.startswith(("compose.", "docker-compose.")):
        return True
    return path.suffix in MANIFESTS and not looks_like_manifest(path)
