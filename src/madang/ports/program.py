"""What an image name stands for where a program of this machine is run: files, command, environment.

`app` saves one when it has built a folder (or found a server on PATH); `node` loads it when a pod names the
reference. In: the courtyard's home. Out: JSON files `images/programs/*.json`, written by write-and-rename.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

HOST = "madang.dev/host"  # this machine itself: the container's own command, on the machine's files
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Program:
    """`entrypoint` and `command` are an image's ENTRYPOINT and CMD: a pod's `command` replaces both,
    its `args` only the second. `path` are folders put first on PATH (a virtual environment's bin, say). `mounts` are
    (source, target): where the program expects its files; without private mounts it runs in `root` instead."""

    reference: str
    root: Path  # the source folder
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = ""  # empty: `root`
    user: str = ""
    path: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    stop_signal: str = ""
    mounts: tuple[tuple[str, str], ...] = ()

    def argv(self, command: tuple[str, ...] = (), args: tuple[str, ...] = ()) -> tuple[str, ...]:
        """What runs, given a container's own `command` and `args`."""
        if command:
            return command + args
        return self.entrypoint + (args or self.command)


def save(home: Path, program: Program) -> Path:
    """Make `program.reference` known. Readers see the old state or the new one, never a half."""
    target = _file(home, program.reference)
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_suffix(f".{os.getpid()}.new")
    body = {"format": _FORMAT, **asdict(program), "root": str(program.root)}
    new.write_text(json.dumps(body, indent=1, sort_keys=True))
    new.replace(target)
    return target


def load(home: Path, reference: str) -> Program | None:
    """The program that `reference` names; None where none was saved. Raises ValueError on a file that a newer
    version wrote."""
    try:
        body = json.loads(_file(home, reference).read_text())
    except FileNotFoundError:
        return None
    return _read(body, reference)


def forget(home: Path, reference: str) -> None:
    _file(home, reference).unlink(missing_ok=True)


def _read(body: dict[str, object], reference: str) -> Program:
    found = body.pop("format", None)
    if found != _FORMAT:
        raise ValueError(
            f"program {reference}: format {found!r} is not {_FORMAT}: written by another version of madang"
        )
    lists = {
        k: tuple(tuple(i) if isinstance(i, list) else i for i in v) for k, v in body.items() if isinstance(v, list)
    }
    return Program(**{**body, **lists, "root": Path(str(body["root"]))})  # type: ignore[arg-type]


def _file(home: Path, reference: str) -> Path:
    # A reference holds slashes and colons, and may be longer than a file name: a digest is neither.
    digest = hashlib.sha256(reference.encode()).hexdigest()[:32]
    return home / "images" / "programs" / f"{digest}.json"
