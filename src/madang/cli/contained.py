"""Whether any image is here, and, once all stands, which pods of manifests run in containers: a line of `madang up`.

In: the courtyard's home; pods. Out: an answer before anything is loaded for it; a text, empty where nothing runs in a
container.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

IMAGE = "sha256:"  # an imageID that is an image's; a program's is its reference


def any_here(home: Path) -> bool:
    """Asked before anything is loaded for it; `node.images.place` says what lies where."""
    return any((folder / "index.json").exists() for folder in (home.parent / ".images", home / "images"))


def told(pods: Mapping[str, Iterable[Any]]) -> list[str]:
    """By service."""
    inside = [name for name, own in sorted(pods.items()) if any(_in_container(pod) for pod in own)]
    others = [name for name in sorted(pods) if name not in inside]
    if not inside:
        return []
    rest = f"; as programs of this machine: {', '.join(others)}" if others else ""
    return [f"in containers, since their images are here: {', '.join(inside)}{rest}"]


def _in_container(pod: Any) -> bool:
    return any(str(c.get("imageID", "")).startswith(IMAGE) for c in pod["status"].get("containerStatuses") or ())
