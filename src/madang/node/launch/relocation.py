"""A launch for a machine that allows no private mounts: paths inside become the paths that they stand for.

In: a launch, the mounts of its program, what the pod wants mounted. Out: the launch with environment, arguments and
working folder rewritten, and what was said by that; commands run there later (probes, hooks, exec) are rewritten the
same way. A mount that nothing refers to stays, so that the runtime refuses it by name: a program that expects it
silently would not find it.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from madang.node.runtimes.runtime import Launch, Mount


@dataclass(frozen=True, slots=True)
class Relocated:
    """`moved` are the pod's mount paths that were replaced, with what now names them (DATA, an argument). `places`
    rewrites the commands that are run there later."""

    launch: Launch
    moved: Mapping[str, str]
    places: "Places"

    @property
    def message(self) -> str:
        parts = [f"{target} is the folder that {by} names" for target, by in sorted(self.moved.items())]
        return f"this machine allows no private mounts: {'; '.join(parts)}"


def relocate(
    plain: Launch, more: Sequence[Mount], keep: Collection[str], real: Collection[Path | str] = ()
) -> Relocated:
    """`more` are the mounts of the program and of the house: nobody waits for them where nothing names them. `keep` are
    variables that are the machine's own (PATH, HOME), `real` places that are: they tell nothing of places inside."""
    places = Places((*more, *plain.mounts), real)
    env = {name: value if name in keep else places.rewritten(value, name) for name, value in plain.env.items()}
    argv = [places.rewritten(a, "an argument") for a in plain.argv]
    cwd = places.rewritten(plain.cwd, "the working folder")
    own = {m.target for m in plain.mounts}
    left = tuple(m for m in plain.mounts if m.target not in places.named)
    moved = {t: by for t, by in places.named.items() if t in own}
    return Relocated(replace(plain, env=env, argv=argv, cwd=cwd, mounts=left), moved, places)


class Places:
    """What paths inside stand for. `named`: the mounts that something referred to, and by what."""

    def __init__(self, mounts: Sequence[Mount], real: Collection[Path | str]) -> None:
        self._mounts = {m.target.rstrip("/"): m for m in mounts if m.target.rstrip("/")}
        self.named: dict[str, str] = {}
        kept = {str(path).rstrip("/") for path in real} - {""}
        # A path begins where no other path goes on: /srv/data is not below /data, sqlite:////data is.
        either = "|".join(re.escape(path) for path in sorted({*kept, *self._mounts}, key=len, reverse=True))
        self._pattern = re.compile(rf"(?<![\w.-])(?:{either})(?=/|$|[^\w.-])") if self._mounts else None

    def rewritten(self, text: str, by: str) -> str:
        """`text` with every path below a mount replaced, the deepest first; who named it is noted."""

        def put(found: re.Match[str]) -> str:
            mount = self._mounts.get(found.group(0))
            if mount is None:
                return found.group(0)
            self.named.setdefault(mount.target, by)
            return str(mount.source)

        return self._pattern.sub(put, text) if self._pattern else text

    def command(self, words: Sequence[str]) -> list[str]:
        """A command that is run in a container's place."""
        return [self.rewritten(word, "a command") for word in words]
