"""Whether an image will run as a container here, and, once all stands, which services do: one line of `madang up`.

In: the courtyard's home and what was asked of it; pods. Out: a question that the reader of files asks for each image;
a text, empty where nothing runs in a container.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from madang.cli.courtyards import Courtyard

IMAGE = "sha256:"  # an imageID that is an image's; a program's is its reference


def stored(court: Courtyard, runtime: str, network: str) -> Callable[[str], bool]:
    """The node decides in the end; asked here since a file whose image cannot run is refused before anything starts."""
    settings = court.record.get("settings", {}) if court.runs else {}
    chosen = (runtime or settings.get("runtime", "auto"), network or settings.get("network", "bridge"))
    if chosen != ("auto", "bridge") or not any_here(court.home):
        return lambda _: False
    from madang.node.containers.containers import found
    from madang.node.images.place import opened
    from madang.node.runtimes.oci.probing import installed

    if not installed():
        return lambda _: False
    store = opened(court.home)
    return lambda reference: found(store, reference) is not None


def any_here(home: Path) -> bool:
    """Asked before anything is loaded for it; `node.images.place` says what lies where."""
    return any((folder / "index.json").exists() for folder in (home.parent / ".images", home / "images"))


def told(pods: Mapping[str, Iterable[Any]]) -> str:
    """By service."""
    inside = [name for name, own in sorted(pods.items()) if any(_in_container(pod) for pod in own)]
    others = [name for name in sorted(pods) if name not in inside]
    if not inside:
        return ""
    rest = f"; as programs of this machine: {', '.join(others)}" if others else ""
    return f"in containers, since their images are here: {', '.join(inside)}{rest}"


def _in_container(pod: Any) -> bool:
    return any(str(c.get("imageID", "")).startswith(IMAGE) for c in pod["status"].get("containerStatuses") or ())
