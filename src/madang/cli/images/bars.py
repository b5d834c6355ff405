"""One bar a layer, while something comes or goes; gone when it is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from madang.cli.screen import console

if TYPE_CHECKING:
    from madang.node.images.asking import Progress


@contextmanager
def bars() -> "Iterator[Callable[[Progress], None]]":
    from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn
    from rich.progress import Progress as Bars

    shown: dict[str, TaskID] = {}
    columns = (TextColumn("layer {task.description}"), BarColumn(), DownloadColumn())
    screen = console(stderr=True)
    with Bars(*columns, console=screen, transient=True, disable=not screen.is_terminal) as drawn:

        def progress(now: "Progress") -> None:
            if now.part not in shown:
                shown[now.part] = drawn.add_task(now.part, total=now.total_bytes)
            drawn.update(shown[now.part], completed=now.done_bytes, total=now.total_bytes)

        yield progress
