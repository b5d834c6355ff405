"""Virtual time: an event loop whose waiting takes no time, and that can end a life between any two steps.

In: callbacks, as asyncio hands them over. Out: they run in a fixed order. Every step belongs to the life in whose
context it was made (one incarnation of the control process) or to the world. What belongs to a dead life never runs
again, its `finally` blocks included: that is what kill -9 means.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar
from itertools import count
from typing import Any, TypeVar

T = TypeVar("T")


class Pulse:
    """Whether an incarnation lives, how many steps it has taken, and at which it is to die."""

    __slots__ = ("dead", "fatal", "steps")

    def __init__(self) -> None:
        self.dead = False
        self.steps = 0
        self.fatal = 0


class Standstill(Exception):
    """Everything waits for something that will never come, or runs in a circle."""


MOST_STEPS = 120_000  # a story takes some ten thousand


class Killed(BaseException):
    """The life whose step this is has ended inside of it; no `except Exception` may hold it up."""


PULSE: ContextVar[Pulse | None] = ContextVar("madang_world_pulse", default=None)


class NumberedTask(asyncio.Task[T]):
    """Hashes by number, not by address: sets of tasks are walked in the same order in every run."""

    _numbers = count()

    def __init__(self, coro: Coroutine[Any, Any, T], **kwargs: Any) -> None:
        self._number = next(self._numbers)
        super().__init__(coro, **kwargs)

    def __hash__(self) -> int:
        return self._number


class VirtualLoop(asyncio.BaseEventLoop):
    """`fatal` is called with the pulse of a life that has reached its last step, and with the step that is never taken;
    `stumbled` with what a callback raised and nobody caught."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self.steps = 0
        self.fatal: Callable[[Pulse, Any], None] = lambda pulse, step: None
        self.stumbled: Callable[[dict[str, Any]], None] = lambda context: None
        self._buried: set[asyncio.Task[Any]] = set()
        self.set_task_factory(_numbered)  # type: ignore[arg-type]  # it takes what every Python from 3.11 on gives

    def time(self) -> float:
        return self._now_s

    def _run_once(self) -> None:
        ready, scheduled = self._ready, self._scheduled  # type: ignore[attr-defined]
        if not ready:
            while scheduled and scheduled[0]._cancelled:
                self._drop(heapq.heappop(scheduled))
            if not scheduled:
                raise Standstill("everything waits for something that will never come")
            self._now_s = max(self._now_s, scheduled[0]._when)
        while scheduled and scheduled[0]._when <= self._now_s:
            ready.append(self._drop(heapq.heappop(scheduled)))
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                self._step(handle)

    @staticmethod
    def _drop(handle: Any) -> Any:
        handle._scheduled = False
        return handle

    def _step(self, handle: Any) -> None:
        pulse = handle._context.get(PULSE)
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Standstill(f"{MOST_STEPS} steps, and no end: {handle!r}")
        if pulse is not None:
            if pulse.dead:
                return
            pulse.steps += 1
            if pulse.fatal and pulse.steps >= pulse.fatal:
                self.fatal(pulse, handle)
                return
        handle._run()

    def bury(self) -> None:
        """Keeps what dead lives left, so that no `finally` of theirs runs while the world goes on."""
        self._buried |= asyncio.all_tasks(self)

    def living(self) -> "set[asyncio.Task[Any]]":
        """The tasks of who lives now, and the world's own."""
        return asyncio.all_tasks(self) - self._buried

    def timers(self, pulse: Pulse) -> list[Any]:
        """What a life still waits for."""
        scheduled = self._scheduled  # type: ignore[attr-defined]
        return [h for h in scheduled if not h._cancelled and h._context.get(PULSE) is pulse]

    def end(self) -> None:
        """Ends what is left of everybody, quietly: the world is over."""
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            _close(task)
        self._buried.clear()
        self._ready.clear()  # type: ignore[attr-defined]
        self._scheduled.clear()  # type: ignore[attr-defined]
        self.close()

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        """There is one thread: what would run beside it runs in a later step."""
        future: asyncio.Future[Any] = self.create_future()

        def work() -> None:
            try:
                answer = func(*args)
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(answer)

        self.call_soon(work)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), Killed):
            self.stumbled(context)

    def _process_events(self, event_list: Any) -> None: ...

    def _write_to_self(self) -> None: ...


def _numbered(loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, T], **kwargs: Any) -> asyncio.Task[T]:
    context: Context | None = kwargs.pop("context", None)
    return NumberedTask(coro, loop=loop, context=context, name=kwargs.get("name"))


def _close(task: "asyncio.Task[Any]") -> None:
    """A coroutine may wait once more in each `finally`: it is told again until it has ended."""
    coro = task.get_coro()
    for _ in range(20):
        try:
            if isinstance(coro, Generator | Coroutine):
                coro.close()
            return
        except RuntimeError:
            continue
        except BaseException:  # what a dying task says no longer matters
            return
