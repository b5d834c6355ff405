"""Which services of an application run in containers here, and the images that are made for them.

In: the courtyard (waited for only where its answer matters), what `--runtime` says, what was chosen before. Out:
`Chosen` for each service (`app/choice.py` has the rules); `keep` writes the choices down once they are applied. Where
no image was ever kept nothing is read, asked or waited for.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from madang.app.choice import AUTO, BASE, CONTAINER, HOST, Chosen, Impossible, Kept, choose
from madang.cli import courtyards
from madang.cli.contained import any_here
from madang.cli.courtyards import Courtyard
from madang.node.images.engines import may_have

if TYPE_CHECKING:
    from madang.app.programs.make import Build
    from madang.node.building.ahead import Foretold

FORMAT = 1
PATIENCE_S, LOOK_S = 10.0, 0.05


@dataclass
class Choosing:
    """`awake` gives the courtyard once it runs; `given` is `--runtime`, `rebuild` is `--build`."""

    home: Path
    given: str
    awake: Callable[[], Courtyard]
    rebuild: bool = False
    kept: dict[str, dict[str, Kept]] = field(default_factory=dict)  # by project, by service
    _refused: str | None = None

    def of_build(self, build: "Build", asked: str) -> Chosen:
        kept = self.before(build.project, build.service)
        if self.surely_host(asked, kept):
            return choose(asked, self.given, kept, lambda: f"{BASE} is not here", lambda: "")
        from madang.cli import imaging

        found: Foretold | None = None
        missing = ""
        try:
            found = imaging.foretold(build, self.home, self.wanted(asked))
        except imaging.Lacking as error:
            missing = str(error)
        base = found.bases[0] if found is not None and found.bases else "all that it stands on"
        chosen = choose(asked, self.given, kept, lambda: missing, self.cannot_build, base)
        if chosen.runtime == HOST:
            return chosen
        if found is None:
            raise Impossible(f"runs in a container, and {missing}; `madang up --runtime host` makes it a program")
        return imaging.chosen(build, self.home, found, chosen.why, kept.anew + self.rebuild)

    def of_image(self, project: str, service: str, image: str, asked: str) -> Chosen:
        kept = self.before(project, service)
        if self.surely_host(asked, kept):
            return choose(asked, self.given, kept, lambda: f"{image} is not here", lambda: "")
        from madang.cli import imaging
        from madang.cli.images import lacking

        if self.wanted(asked):
            imaging.bring(self.home, image)
        here = lacking.nearby(self.home, image)
        kept = kept if here else Kept()  # it was removed: as if nothing had been chosen
        return choose(
            asked, self.given, kept, lambda: "" if here else f"{image} is not here", self.refused, "its image"
        )

    def brought(self, image: str, asked: str) -> Chosen:
        if (asked or self.given) == HOST:
            raise Impossible("")
        if why := self.refused():
            raise Impossible(f"containers do not work here: {why}")
        from madang.cli import imaging

        imaging.bring(self.home, image)
        return Chosen(CONTAINER, "no program of this machine stands for its image")

    def surely_host(self, asked: str, kept: Kept) -> bool:
        """Without a look at any image."""
        wish = asked or self.given
        if wish == CONTAINER or (wish != AUTO and kept.runtime == CONTAINER):
            return False
        return wish == HOST or (wish != AUTO and kept.runtime == HOST) or not (any_here(self.home) or may_have())

    def wanted(self, asked: str) -> bool:
        """Whether images that are lacking are to be brought: somebody said so."""
        return (asked or self.given) == CONTAINER

    def refused(self) -> str:
        """Why containers do not work here; the courtyard has tried."""
        if self._refused is None:
            self._refused = refusal(self.awake())
        return self._refused

    def cannot_build(self) -> str:
        return "`madang up` builds images as root alone so far" if os.geteuid() != 0 else self.refused()

    def before(self, project: str, service: str) -> Kept:
        if project not in self.kept:
            self.kept[project] = read(file(self.home, project))
        return self.kept[project].get(service, Kept())

    def keep(self, project: str, chosen: Mapping[str, Chosen]) -> None:
        """From now on these stay. Of services that are not named now what was chosen stays, too."""
        before = read(file(self.home, project))
        now = dict(before)
        for name, one in chosen.items():
            if one.why:
                again = before.get(name, Kept()).anew + (self.rebuild and one.image is not None)
                now[name] = Kept(one.runtime, one.why, again)
        if now != before:
            write(file(self.home, project), now)
        self.kept[project], self.rebuild = now, False


def file(home: Path, project: str) -> Path:
    return home / "runtimes" / f"{project}.json"


def read(path: Path) -> dict[str, Kept]:
    """Nothing where there is nothing readable: then it is chosen anew."""
    try:
        body = json.loads(path.read_bytes())
        if body.get("format") != FORMAT:
            return {}
        return {
            name: Kept(str(one["runtime"]), str(one["why"]), int(one["anew"])) for name, one in body["services"].items()
        }
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}


def write(path: Path, services: Mapping[str, Kept]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_suffix(".new")
    body = {name: asdict(one) for name, one in sorted(services.items())}
    aside.write_text(json.dumps({"format": FORMAT, "services": body}, indent=1))
    aside.replace(path)


def refusal(court: Courtyard) -> str:
    """What the control process found out, if need be after a moment: it looks once all stands."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        record = court.record
        if record.get("settings", {}).get("runtime") == HOST:
            return f"the courtyard runs with --runtime {HOST}"
        if record.get("settings", {}).get("network") == "loopback":
            return "they need pods with addresses of their own (--network bridge)"
        for one in record.get("machine", {}).get("abilities", ()):
            if one["name"] == CONTAINER and (one["works"] or "not tried yet" not in one["why_not"]):
                return "" if one["works"] else str(one["why_not"])
        if time.monotonic() > deadline:
            return "nobody has found out whether they work"
        time.sleep(LOOK_S)
        court = courtyards.find(court.name)
