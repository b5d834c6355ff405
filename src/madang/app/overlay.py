"""`--env staging`: an environment's own files over the base: `compose.staging.yaml` and `.env.staging`.

In: the Compose files that make the base, the environment's name. Out: all files in their order, and files of variables;
a line that says which were taken. One of the two is enough; where neither is there it is refused, with what was looked
for.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from madang.app.application import ApplicationError
from madang.app.document import shown
from madang.ports.settings import DOMAIN

ENVIRONMENT = f"{DOMAIN}/environment"  # label: of a project's Namespace, which environment it was brought for
NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
ENDS = ("yaml", "yml")


@dataclass(frozen=True, slots=True)
class Taken:
    compose: tuple[Path, ...]
    env_files: tuple[Path, ...] = ()
    environment: str = ""

    @property
    def told(self) -> str:
        """Empty where one file is all: nothing was chosen."""
        files = (*self.compose, *self.env_files)
        return ", ".join(map(shown, files)) if self.environment or len(self.compose) > 1 else ""


def beside(base: Path, word: str) -> list[Path]:
    """`compose.WORD.yaml` of `compose.yaml`, where there is one."""
    stem = base.name.rpartition(".")[0]
    return [p for end in ENDS if (p := base.with_name(f"{stem}.{word}.{end}")).is_file()][:1]


def taken(base: Sequence[Path], env_files: Sequence[Path], environment: str) -> Taken:
    """`env_files` are given, or empty for `.env`. Raises ApplicationError."""
    if not environment:
        return Taken(tuple(base), tuple(env_files))
    if not NAME.fullmatch(environment):
        raise ApplicationError(
            [f"--env {environment}: expected letters, digits, '-', '_' and '.', at most 63: it names files"]
        )
    over = [path for one in base for path in beside(one, environment)]
    folder = base[0].parent
    variables = folder / f".env.{environment}"
    if not over and not variables.is_file():
        raise ApplicationError([missing(base[0], environment)])
    usual = list(env_files) or [p for p in (folder / ".env",) if p.is_file()]
    own = [variables] if variables.is_file() else []
    return Taken((*base, *over), (*usual, *own), environment)


def missing(base: Path, environment: str) -> str:
    stem = base.name.rpartition(".")[0]
    there = known(base)
    hint = f"; there is {', '.join(there)}" if there else ""
    return (
        f"--env {environment}: neither {shown(base.with_name(f'{stem}.{environment}.yaml'))} (or .yml) nor "
        f"{shown(base.with_name(f'.env.{environment}'))} is there{hint}"
    )


def known(base: Path) -> list[str]:
    """The environments that have files there."""
    stem = base.name.rpartition(".")[0]
    names = {p.name[len(stem) + 1 :].rpartition(".")[0] for end in ENDS for p in base.parent.glob(f"{stem}.*.{end}")}
    names |= {p.name.removeprefix(".env.") for p in base.parent.glob(".env.*")}
    return sorted(name for name in names - {"override", "example"} if NAME.fullmatch(name))
