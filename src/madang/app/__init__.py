"""An application's files (Compose, Kubernetes manifests) -> objects -> the courtyard.

In: paths. Out: `load` reads and checks, `build` makes what pods need, `apply` puts the whole into the API or nothing of
it, `progress`, `settled` and `hopeless` tell how far it is, `keep_fresh` follows changed sources. Importing this is
cheap.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from madang.app.application import Application, ApplicationError, Applied, LoadOptions, ServiceState
from madang.app.choice import HostAlone, Tell
from madang.app.hope import hopeless
from madang.app.progress import grouped, progress, settled

if TYPE_CHECKING:
    from madang.app.fresh import Hands
    from madang.ports.api import Api

__all__ = [
    "Application", "ApplicationError", "Applied", "HostAlone", "LoadOptions", "ServiceState",
    "apply", "build", "found_in", "grouped", "hopeless", "keep_fresh", "load", "progress", "settled", "watch_sources",
]  # fmt: skip


def found_in(folder: Path) -> bool:
    """Is there an application here?"""
    from madang.app.find import found_in

    return found_in(folder)


def load(paths: Sequence[Path], options: LoadOptions) -> Application:
    """Raises ApplicationError with every fault found."""
    from madang.app.loading import load

    return load(paths, options)


async def build(application: Application, home: Path, tell: Tell, rebuild: bool = False) -> None:
    """Environments, programs and images; `tell` hears steps and tools. Raises ApplicationError."""
    from madang.app.building import build

    await build(application, home, tell, rebuild)


async def apply(api: "Api", application: Application) -> Applied:
    """All of it, or ApplicationError and nothing."""
    from madang.app.applying import apply

    return await apply(api, application)


def watch_sources(application: Application) -> Mapping[Path, Sequence[str]]:
    """Which services each folder belongs to."""
    from madang.app.fresh import watch_sources

    return watch_sources(application)


async def keep_fresh(
    api: "Api", application: Application, home: Path, say: Callable[[str], None], hands: "Hands | None" = None
) -> None:
    """The body of `up --watch`: until cancelled, changed sources restart what they belong to."""
    from madang.app.fresh import keep_fresh

    await keep_fresh(api, application, home, say, hands)
