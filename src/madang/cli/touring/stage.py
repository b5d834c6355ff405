"""What a step may use: the shop's courtyard, commands that the user could type, words, and a place for its figures.

In: the ground and the telling. Out: what commands printed, and the figures of each step, as one sees them and as data.
"""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from madang.cli.courtyards import Courtyard
from madang.cli.house import namespace_of, remote
from madang.cli.refusal import Refusal
from madang.cli.services import published
from madang.cli.touring.ground import PATIENCE_S, PROJECT, Ground, environment
from madang.cli.touring.telling import Telling


@dataclass
class Stage:
    ground: Ground
    telling: Telling
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    commands: dict[str, list[str]] = field(default_factory=dict)
    step: str = ""

    @property
    def court(self) -> Courtyard:
        return self.ground.court

    async def page(self) -> str:
        """Where the shop's page is."""
        async with remote(self.court) as api:
            services = [e.obj for e in (await api.list("services", PROJECT)).entries]
        for (_, service), addresses in published(services).items():
            if service == "web":
                return f"http://{addresses[0]}/"
        raise Refusal("the shop's page is not open: `madang status` says which port is closed, and who has it")

    def project(self) -> list[str]:
        """Which project is meant, where it is not the one that `up` brought last."""
        return [] if namespace_of(self.court, "") == PROJECT else ["-n", PROJECT]

    async def madang(self, verb: str, *words: str, **more: Any) -> str:
        """A command about the shop: `madang VERB ...`, shown and run."""
        return await self.run("madang", verb, *self.project(), *words, **more)

    async def run(
        self,
        *words: str,
        name: str = "",
        before: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        quiet: bool = False,
        keep: bool = False,
        may_fail: bool = False,
    ) -> str:
        """Shows a command and runs it; what it prints is seen as it comes, and returned where `keep` says so.

        `name`: in another courtyard than the shop's. `before`: variables that stand before the command.
        """
        told = {**({"MADANG_NAME": name} if name else {}), **(before or {})}
        if not quiet:
            self.telling.command(words, told)
            self.commands.setdefault(self.step, []).append(" ".join(words))
        out = PIPE if keep or quiet else (sys.stderr.fileno() if self.telling.aside else None)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "madang.cli", *words[1:],
            env=environment(name or self.ground.name, told), cwd=cwd, stdin=DEVNULL, stdout=out,
            stderr=PIPE if quiet else None,
        )  # fmt: skip
        try:
            said, complaint = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        except TimeoutError:
            raise Refusal(f"`{' '.join(words)}` did not end within {PATIENCE_S:.0f} s") from None
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        text = (said or b"").decode("utf-8", "replace")
        if keep and not quiet:
            self.telling.line(text.rstrip())
        if process.returncode and not may_fail:
            why = (complaint or b"").decode("utf-8", "replace").strip() or (text.strip() if quiet else "")
            raise Refusal(
                f"`{' '.join(words)}` ended with exit code {process.returncode}" + (f": {why}" if why else "")
            )
        return text

    def measured(self, **values: Any) -> None:
        """The step's figures: shown, and kept for `--output json`."""
        self.figures[self.step] = values
        self.telling.figures(self.step, values)
