"""`madang tour`: seven short steps on a running shop, in English or Korean, each with what was measured there and then.

In: a language, maybe one step, maybe a courtyard. Out: text (or the figures as JSON), and a machine as it was before,
however the tour ends.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from madang.cli.language import Lang, language
from madang.cli.options import Output
from madang.cli.refusal import Refusal
from madang.cli.screen import AS_JSON, print_json

if TYPE_CHECKING:
    from madang.cli.touring.stage import Stage
    from madang.cli.touring.steps import Step

COUNT = 7
GONE = (OSError, SystemExit)  # how writing ends where nobody reads: by Python's own word, and by the console's


def tour(
    lang: Lang = "",
    step: Annotated[int | None, typer.Option("--step", min=1, max=COUNT, help="Only this step.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Go on without waiting for Enter.")] = False,
    name: Annotated[
        str,
        typer.Option(
            "--name", envvar="MADANG_NAME", help="The courtyard whose shop is walked through; default: one of its own."
        ),
    ] = "",
    output: Output = "",
) -> None:
    """Seven short steps around a microservice system, on the running shop, with what is measured on the way.

    Start; names and load balancing; self-healing; horizontal scaling; rolling update; bin packing; workloads outlive
    the control plane. Without --name the shop runs in a courtyard of the tour's own. All is put back at the end.

    Example: `madang tour --lang ko`
    """
    from madang.cli.kubectl import find_kubectl
    from madang.cli.touring.ground import OWN, Ground
    from madang.cli.touring.stage import Stage
    from madang.cli.touring.steps import STEPS
    from madang.cli.touring.telling import Telling
    from madang.cli.touring.words import LANGUAGES

    find_kubectl()  # refuses, with the way to one
    telling = Telling(LANGUAGES[language(lang)], aside=output == AS_JSON)
    stage = Stage(Ground(name or OWN, own=not name), telling)
    waits = not yes and output != AS_JSON and sys.stdin.isatty() and sys.stdout.isatty()
    with ending_like_ctrl_c():
        try:
            walk(stage, STEPS[step - 1 : step] if step else STEPS, waits)
        except KeyboardInterrupt:
            end(stage, "frame.cut")
            raise
        except BaseException:
            end(stage, "")
            raise
        end(stage, "frame.done")
    if output == AS_JSON:
        steps = [{"step": s, "commands": stage.commands.get(s, []), "figures": f} for s, f in stage.figures.items()]
        print_json({"courtyard": stage.ground.name, "steps": steps})


def walk(stage: "Stage", steps: "tuple[Step, ...]", waits: bool) -> None:
    from madang.cli.touring.steps import STEPS, start

    telling, ground = stage.telling, stage.ground
    ground.look()
    greet(stage)
    for place, (name, show) in enumerate(steps):
        stage.step = name
        telling.heading(STEPS.index(steps[place]) + 1, len(STEPS), name)
        if place == 0 and name != "start" and not ground.found_shop:
            telling.see("frame.bringing")
            asyncio.run(start.bring(stage, quiet=True))
        asyncio.run(show(stage))
        if waits:
            following = steps[place + 1 :]
            pause(stage, following[0].name if following else "")


def greet(stage: "Stage") -> None:
    telling, ground = stage.telling, stage.ground
    telling.see("frame.hello")
    telling.say("frame.own" if ground.own and not ground.found_shop else "frame.chosen", name=ground.name)
    telling.say("frame.follow")
    for line in (*activation(), f"export MADANG_NAME={ground.name}"):
        telling.line(f"  {line}")


def activation() -> list[str]:
    """How another terminal finds `madang`, where it is not on every PATH."""
    folder = os.path.join(sys.prefix, "bin")
    known = folder in os.environ.get("PATH", "").split(os.pathsep) and not os.environ.get("VIRTUAL_ENV")
    script = os.path.join(folder, "activate")
    return [f"source {script}"] if not known and os.path.exists(script) else []


def pause(stage: "Stage", following: str) -> None:
    from madang.cli.touring.steps import STEPS

    telling = stage.telling
    telling.line()
    if following:
        number = [s.name for s in STEPS].index(following) + 1
        text = telling.word("frame.next", number=number, of=len(STEPS), title=telling.word(f"{following}.title"))
    else:
        text = telling.word("frame.last")
    telling.console.print(f"[reverse] {text} [/]", end="")
    with contextlib.suppress(EOFError):
        input(" ")


def end(stage: "Stage", said: str) -> None:
    """Puts everything back first, and tells of it where somebody still listens."""
    telling = stage.telling
    with contextlib.suppress(*GONE):
        if stage.ground.promises:
            telling.see("frame.back")
    broken = stage.ground.put_back()
    with contextlib.suppress(*GONE):
        if broken:
            telling.see("frame.broken")
            for line in broken:
                telling.line(f"  {line}")
        elif said:
            telling.say(said)
            if said == "frame.done":
                telling.say("frame.further")
    if broken:
        raise Refusal("the tour could not put everything back")


@contextlib.contextmanager
def ending_like_ctrl_c() -> Iterator[None]:
    """A closed terminal and a plain kill end the tour as Ctrl-C does: by putting things back."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
