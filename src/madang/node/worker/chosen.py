"""The runtime of one pod: chosen when it is first started, then kept on disk while anything of it is there.

In: the kit, the pod's folders. Out: the runtime's name, and the runtime where this machine has it.
"""

from collections.abc import Callable

from madang.node.containers.choice import CONTAINER
from madang.node.kit import Kit
from madang.node.launch.folders import Folders
from madang.node.runtimes.runtime import Runtime


class Chosen:
    """`folders` gives those of the newest object that is known."""

    def __init__(self, kit: Kit, folders: Callable[[], Folders]) -> None:
        self._kit, self._folders = kit, folders
        self._kept: str | None = None  # as it stands on disk; empty: not chosen yet

    @property
    def name(self) -> str:
        """Before the first start it is chosen anew each time."""
        folders = self._folders()
        if self._kept is None:
            self._kept = folders.runtime()
            if not self._kept and folders.started():
                self._kept = folders.pod["spec"].get("runtimeClassName") or self._kit.runtime
        return self._kept or self._kit.choose(folders.pod)

    @property
    def runtime(self) -> Runtime | None:
        """None where the pod asks for a runtime that this machine does not have."""
        return self._kit.runtimes.get(self.name)

    @property
    def missing(self) -> str:
        """Why there is none; empty where there is."""
        if self.runtime is not None:
            return ""
        return (
            f'runtime "{self.name}" does not work on this machine; there are: {", ".join(sorted(self._kit.runtimes))}'
        )

    @property
    def in_container(self) -> bool:
        return self._kit.containers is not None and self.name == CONTAINER

    def keep(self) -> None:
        """From now on the choice stays. Blocks on the disk."""
        if not self._kept:
            self._kept = self.name
            self._folders().keep_runtime(self._kept)

    def forget(self) -> None:
        self._kept = None
        self._folders().keep_runtime("")
