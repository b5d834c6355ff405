"""The process of an exec, from the document of its container: pure.

In: `config.json`, the command. Out: what the runtime's `exec` takes as `--process`.
"""

from collections.abc import Mapping, Sequence
from typing import Any


def inside(config: Mapping[str, Any], argv: Sequence[str], env: Sequence[tuple[str, str]], tty: bool) -> dict[str, Any]:
    """The process of an exec: as the container's own, but for what is run and how it is talked to."""
    own: dict[str, Any] = dict(config["process"])
    known = dict(text.partition("=")[::2] for text in own["env"]) | dict(env)
    if tty:
        known.setdefault("TERM", "xterm")
    return own | {"terminal": tty, "args": list(argv), "env": [f"{name}={value}" for name, value in known.items()]}
