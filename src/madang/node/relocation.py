"""A launch for a machine that allows no private mounts: paths inside become the paths that they stand for.

In: a launch, the mounts of its program, what the pod wants mounted. Out: the launch with environment, arguments and
working folder rewritten, and what was said by that. A mount that nothing refers to stays, so that the runtime refuses
it by name: a program that expects it silently would not find it.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from madang.node.runtimes.runtime import Launch, Mount


@dataclass(frozen=True, slots=True)
class Relocated:
    """`moved` are the pod's mount paths that were replaced, with what now names them (DATA, an argument)."""

    launch: Launch
    moved: Mapping[str, str]

    @property
    def message(self) -> str:
        parts = [f"{target} is the folder that {by} names" for target, by in sorted(self.moved.items())]
        return f"this machine allows no private mounts: {'; '.join(parts)}"


def relocate(plain: Launch, program_mounts: Sequence[Mount], keep: Collection[str]) -> Relocated:
    """`keep` are variables that are the machine's own (PATH, HOME) and tell nothing of places inside."""
    mounts = [*program_mounts, *plain.mounts]
    by_target = sorted(mounts, key=lambda m: -len(m.target))
    names: dict[str, str] = {}
    env = {
        name: value if name in keep else _rewritten(value, by_target, names, name) for name, value in plain.env.items()
    }
    argv = [_rewritten(a, by_target, names, "an argument") for a in plain.argv]
    cwd = _rewritten(plain.cwd, by_target, names, "the working folder")
    own = {m.target for m in plain.mounts}
    left = tuple(m for m in plain.mounts if m.target not in names)
    moved = {t: by for t, by in names.items() if t in own}
    return Relocated(replace(plain, env=env, argv=argv, cwd=cwd, mounts=left), moved)


def _rewritten(text: str, mounts: Sequence[Mount], names: dict[str, str], by: str) -> str:
    """`text` with every path below a mount replaced; who named it is noted. `mounts`: the deepest first."""
    places = {m.target.rstrip("/"): m for m in reversed(mounts) if m.target.rstrip("/")}
    if not places:
        return text
    # A path begins where no other path goes on: /srv/data is not below /data, sqlite:////data is.
    either = "|".join(re.escape(t) for t in sorted(places, key=len, reverse=True))

    def real(found: re.Match[str]) -> str:
        mount = places[found.group(0)]
        names.setdefault(mount.target, by)
        return str(mount.source)

    return re.sub(rf"(?<![\w.-])(?:{either})(?=/|$|[^\w.-])", real, text)
