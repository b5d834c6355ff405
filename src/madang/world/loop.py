"""Virtual time: an event loop whose waiting takes no time, and that can end a life between any two steps.

In: callbacks, as asyncio hands them over. Out: they run in a fixed order. Every step belongs to the life in whose
context it was made (one incarnation of the control process) or to the world. What belongs to a dead life never runs
again, its `finally` blocks included: that is what kill -9 means.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from functools import partial
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


MOST_STEPS = 60_000  # a story takes some ten thousand


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


class Step:
    """One callback, due at once or at `due_s`: what asyncio calls a handle, without what only a real loop needs."""

    __slots__ = ("_args", "_callback", "_cancelled", "_context", "due_s")

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...], context: Context) -> None:
        self._callback, self._args, self._context = callback, args, context
        self._cancelled = False
        self.due_s = 0.0

    def cancel(self) -> None:
        self._cancelled = True
        self._args = ()

    def drop(self) -> None:
        """It will never be taken: whom it would have called may go."""
        self._callback, self._args, self._cancelled = _nothing, (), True

    def cancelled(self) -> bool:
        return self._cancelled

    def when(self) -> float:
        return self.due_s


class VirtualLoop(asyncio.BaseEventLoop):
    """`fatal` is called with the pulse of a life that has reached its last step, and with the step that is never taken;
    `stumbled` with what a callback raised and nobody caught."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.steps = 0
        self.fatal: Callable[[Pulse, Step], None] = lambda pulse, step: None
        self.ends: Callable[[Pulse, Step], bool] | None = None  # whether this step is to be a life's last
        self.stumbled: Callable[[dict[str, Any]], None] = lambda context: None
        self._waiting: list[tuple[float, int, Step]] = []
        self._turns = count()
        self._buried: set[asyncio.Task[Any]] = set()
        self.create_future = partial(asyncio.Future, loop=self)  # type: ignore[method-assign]

    get_debug = staticmethod(bool)  # False, and each future asks

    def create_task(self, coro: Coroutine[Any, Any, T], **kwargs: Any) -> asyncio.Task[T]:  # type: ignore[override]
        return NumberedTask(coro, loop=self, **kwargs)

    def time(self) -> float:
        return self.now_s

    def call_soon(  # type: ignore[override]  # a step is handle enough
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Any:
        step = Step(callback, args, copy_context() if context is None else context)
        self._ready.append(step)  # type: ignore[attr-defined]
        return step

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Any:
        step = Step(callback, args, copy_context() if context is None else context)
        step.due_s = self.now_s + delay
        heapq.heappush(self._waiting, (step.due_s, next(self._turns), step))
        return step

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Any:
        step = Step(callback, args, copy_context() if context is None else context)
        step.due_s = when
        heapq.heappush(self._waiting, (when, next(self._turns), step))
        return step

    def _run_once(self) -> None:
        """Until the loop is to stop: who calls it would only call it again."""
        ready, waiting = self._ready, self._waiting  # type: ignore[attr-defined]
        while not self._stopping:  # type: ignore[attr-defined]
            if not ready:
                self.now_s = max(self.now_s, _next_s(waiting))
            while waiting and waiting[0][0] <= self.now_s:
                ready.append(heapq.heappop(waiting)[2])
            for _ in range(len(ready)):
                step = ready.popleft()
                if step._cancelled:
                    continue
                context = step._context
                pulse = context.get(PULSE)
                self.steps += 1
                if pulse is not None:
                    if pulse.dead:
                        continue
                    pulse.steps += 1
                    if (pulse.fatal and pulse.steps >= pulse.fatal) or (
                        self.ends is not None and self.ends(pulse, step)
                    ):
                        self.fatal(pulse, step)
                        continue
                try:
                    context.run(step._callback, *step._args)
                except (SystemExit, KeyboardInterrupt, Standstill):
                    raise
                except BaseException as error:
                    self.call_exception_handler({"message": f"a step raised: {step._callback!r}", "exception": error})
            if self.steps > MOST_STEPS:
                raise Standstill(f"{MOST_STEPS} steps, and no end: {step._callback!r}")

    def bury(self) -> None:
        """Keeps what dead lives left, so that no `finally` of theirs runs while the world goes on."""
        self._buried |= asyncio.all_tasks(self)

    def living(self) -> "set[asyncio.Task[Any]]":
        """The tasks of who lives now, and the world's own."""
        return asyncio.all_tasks(self) - self._buried

    def timers(self, pulse: Pulse) -> list[Step]:
        """What a life still waits for."""
        return [step for _, _, step in self._waiting if not step._cancelled and step._context.get(PULSE) is pulse]

    def end(self) -> None:
        """Ends what is left of everybody, quietly: the world is over."""
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            _close(task)
        for task in tasks:
            _let_go(task)
        for _, _, step in self._waiting:
            step.drop()
        self.fatal = self.stumbled = self.ends = None  # type: ignore[assignment]  # whoever was told, lives no more
        self._buried.clear()
        self._ready.clear()  # type: ignore[attr-defined]
        self._waiting.clear()
        del self.create_future
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
        if self.stumbled is not None and not isinstance(context.get("exception"), Killed):  # None: the world is over
            self.stumbled(context)

    def _process_events(self, event_list: Any) -> None: ...

    def _write_to_self(self) -> None: ...


def _next_s(waiting: list[tuple[float, int, Step]]) -> float:
    """When who waits shortest is due."""
    while waiting and waiting[0][2]._cancelled:
        heapq.heappop(waiting)
    if not waiting:
        raise Standstill("everything waits for something that will never come")
    return waiting[0][0]


def _nothing() -> None: ...


def _let_go(task: "asyncio.Task[Any]") -> None:
    """Who waits and what is waited for hold each other: without this only the collector would end them."""
    held: Any = task
    if (awaited := held._fut_waiter) is not None:
        awaited.cancel()
    for callback, _ in held._callbacks or ():
        task.remove_done_callback(callback)


def _close(task: "asyncio.Task[Any]") -> None:
    """A coroutine may wait once more in each `finally`: it is told again until it has ended."""
    coro: Any = task.get_coro()
    for _ in range(20):
        try:
            coro.close()
            return
        except RuntimeError:
            continue
        except BaseException:  # what a dying task says no longer matters
            return
