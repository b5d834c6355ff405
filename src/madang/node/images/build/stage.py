"""One stage being planned: each instruction in turn changes its settings, its variables, or adds a step. Pure.

In: the state that the stage inherits, its instructions, and a `House` that knows the other stages, images and the
build's folder. Out: steps with their keys, and the configuration.
"""

import posixpath
from typing import Protocol

from madang.dockerfile import globs
from madang.dockerfile.instructions import Command, Copy, Health, Listing, Meaning, Pairs, Text
from madang.dockerfile.refusal import Refused
from madang.dockerfile.words import expanded, split
from madang.node.images.build.keys import key
from madang.node.images.build.mounts import Mount, mount, origin_of
from madang.node.images.build.remotes import Remote, remote
from madang.node.images.build.scripts import script
from madang.node.images.build.settings import Settings
from madang.node.images.build.stages import Sketch
from madang.node.images.build.steps import SCRATCH, Files, Folder, Run, Source, Step
from madang.node.images.build.wording import shortened, title


class Digests(Protocol):
    def digest(self, patterns: tuple[str, ...], parents: bool = False) -> str: ...
    def fetched(self, one: Remote) -> str: ...


class House(Protocol):
    drawn: Sketch

    @property
    def contents(self) -> Digests: ...
    def source(self, text: str, below: int, line: int) -> Source: ...
    def origin_key(self, source: Source) -> str: ...
    def arg(self, name: str) -> str | None: ...
    def proxies(self) -> tuple[tuple[str, str], ...]: ...


class StageState:
    """`env` is what variables stand for at this point: the image's own, and arguments in the order they came."""

    def __init__(self, house: House, index: int, settings: Settings, parent: str) -> None:
        self.house, self.index, self.settings, self.key = house, index, settings, parent
        self.escape = house.drawn.escape
        self.env = settings.env()
        self.args: list[tuple[str, str | None]] = []
        self.steps: list[Step] = []
        self.has_cmd = False

    def child(self, index: int) -> "StageState":
        other = StageState(self.house, index, Settings(self.settings.full, self.settings.created), self.key)
        other.env, other.args = dict(self.env), list(self.args)
        return other

    def take(self, one: Meaning) -> None:
        match one:
            case Pairs(name="ARG"):
                self.take_arg(one)
            case Pairs():
                self.take_pairs(one)
            case Command(name="RUN"):
                self.take_run(one)
            case Command():
                words = one.words if not one.shell else (*self.settings.shell, " ".join(one.words))
                self.settings.set_command(one.name, words, self.has_cmd)
                self.has_cmd |= one.name == "CMD"
            case Copy():
                self.take_copy(one)
            case Text(name="ONBUILD"):
                self.settings.add_trigger(one.text)
            case Text(name="WORKDIR"):
                self.take_workdir(one)
            case Text():
                self.settings.set_text(one.name, self.expand(one.text, one.line), one.line)
            case Listing():
                self.settings.set_listing(one.name, self.listed(one), one.line)
            case Health():
                self.settings.set_health(one)
            case _:
                raise Refused(one.line, "FROM can not stand here")

    def expand(self, text: str, line: int, *, quotes: bool = True) -> str:
        return expanded(text, self.env, self.escape, line, quotes=quotes)

    def listed(self, one: Listing) -> tuple[str, ...]:
        if one.name == "SHELL":
            return one.words
        if one.name == "VOLUME":
            return tuple(self.expand(word, one.line) for word in one.words)
        try:
            return tuple(word for text in one.words for word in split(text, self.env, self.escape))
        except ValueError as error:
            raise Refused(one.line, f"{one.name}: {error}") from error

    def take_arg(self, one: Pairs) -> None:
        """The given value, else its own default, else what an ARG before the first FROM says."""
        spoken = []
        for name, default in one.pairs:
            value = self.house.arg(name)
            if value is None and default is not None:
                value = self.expand(default, one.line)
            elif value is None:
                value = self.house.drawn.known.get(name)
            if value is not None:
                self.env[name] = value
            self.args.append((name, value))
            spoken.append(name if value is None else f"{name}={value}")
        self.settings.told(f"ARG {' '.join(spoken)}")

    def take_pairs(self, one: Pairs) -> None:
        pairs = [(self.expand(n, one.line), self.expand(value or "", one.line)) for n, value in one.pairs]
        self.settings.set_pairs(one.name, pairs)
        if one.name == "ENV":
            self.env |= dict(pairs)

    def take_workdir(self, one: Text) -> None:
        path = self.settings.set_workdir(self.expand(one.text, one.line))
        if path != "/":
            self.key = key(self.key, "folder", path, self.settings.user)
            self.steps.append(Folder(one.line, f"WORKDIR {path}", self.key, path, self.settings.user))
        self.settings.told(f"WORKDIR {path}", layer=path != "/")

    def take_run(self, one: Command) -> None:
        words, scripts = script(one)
        argv = (*self.settings.shell, " ".join(words)) if one.shell else words
        mounts = tuple(self.mounted(text, one.line) for text in one.mounts)
        decides = [self.decides(m, one.line) for m in mounts]
        env = tuple(self.env.items())
        user, workdir = self.settings.user, self.settings.workdir
        self.key = key(self.key, "run", argv, sorted(env), workdir, user, decides, one.network or "default", scripts)
        shown = title(one, words)
        self.steps.append(
            Run(one.line, shown, self.key, argv, env, workdir, user, mounts, one.network, scripts, self.house.proxies())
        )
        values = {name: self.env.get(name, value or "") for name, value in self.args}
        given = [f"|{len(values)}", *(f"{n}={v}" for n, v in values.items())] if values else []
        self.settings.told(f"RUN {' '.join([*given, *argv])} # buildkit", layer=True)

    def mounted(self, text: str, line: int) -> Mount:
        origin = self.house.source(origin_of(text), self.index, line)
        one = mount(self.expand(text, line), line, self.settings.workdir)
        if one.type not in ("bind", "cache"):
            return one
        fields = {name: getattr(one, name) for name in Mount.__slots__}
        return Mount(**{**fields, "stage": origin.stage, "image": origin.image})

    def decides(self, one: Mount, line: int) -> list[object]:
        """What of a mount decides the result: where files come from, never what a cache or a secret holds."""
        source = Source(one.stage, one.image)
        if one.type == "bind" and source.is_context:
            return [one, self.digest((one.source.lstrip("/") or ".",), line)]
        if source.is_context or source == SCRATCH:
            return [one]
        return [one, self.house.origin_key(source)]

    def digest(self, patterns: tuple[str, ...], line: int, parents: bool = False) -> str:
        try:
            return self.house.contents.digest(patterns, parents)
        except FileNotFoundError as error:
            raise Refused(
                line, f'"{error}": not found in the build\'s folder (or left out by .dockerignore)'
            ) from error
        except globs.BadPattern as error:
            raise Refused(line, str(error)) from error

    def fetches(self, one: Copy, sources: tuple[str, ...], target: str) -> tuple[Remote, ...]:
        """The sources of an ADD that are fetched: all of them, or none."""
        if one.name != "ADD":
            return ()
        checksum = self.expand(one.checksum, one.line)
        found = [remote(text, one.line, checksum) for text in sources]
        fetched = tuple(r for r in found if r is not None)
        if checksum and (len(fetched) != 1 or len(sources) != 1):
            raise Refused(one.line, "ADD --checksum is for one file that is fetched, or one repository")
        if fetched and (len(fetched) < len(found) or one.inline):
            raise Refused(one.line, "ADD: what is fetched and what lies here want an ADD each")
        for r in fetched:
            if r.kind == "file" and not r.name and target.endswith("/"):
                raise Refused(one.line, f"ADD {r.url}: names no file; write the file's own name behind the folder")
        return fetched

    def take_copy(self, one: Copy) -> None:
        sources = tuple(self.expand(text, one.line) for text in one.sources)
        written = self.expand(one.target, one.line)
        chown, chmod = self.expand(one.chown, one.line), self.expand(one.chmod, one.line)
        remotes = self.fetches(one, sources, written)
        if len(sources) + len(one.inline) > 1 and not written.endswith("/"):
            text = f"When using {one.name} with more than one source file, the destination must be a directory"
            raise Refused(one.line, f"{text} and end with a /, found {written}")
        inline = tuple(
            (h.name, expanded(h.text(), self.env, "\\", one.line, quotes=False) if h.expand else h.text())
            for h in one.inline
        )
        source = self.house.source(one.stage, self.index, one.line)
        patterns = tuple(cleaned(text) for text in sources) if not remotes else ()
        if not source.is_context:
            decides = self.house.origin_key(source)
        else:
            decides = self.digest(patterns, one.line, one.parents) if patterns else ""
        target = absolute(written, self.settings.workdir)
        mode = octal(chmod, one.line)
        parts = (one.name, decides, patterns, target, inline, chown, mode, one.parents)
        fetched = [(r.kind, r.name, r.folder, self.house.contents.fetched(r)) for r in remotes]
        self.key = key(self.key, "files", *parts, *([fetched] if fetched else []))
        flags = [f"--chown={chown}"] * bool(chown) + [f"--chmod={chmod}"] * bool(chmod)
        if one.parents:
            flags.insert(0, "--parents")
        if one.checksum:
            flags.append(f"--checksum={self.expand(one.checksum, one.line)}")
        spoken = " ".join([one.name, *flags, *sources, *(f"<<{name}" for name, _ in inline), written])
        shown = f"{one.name} --from={one.stage}{spoken[len(one.name) :]}" if one.stage else spoken
        unpack = one.name == "ADD"
        self.steps.append(
            Files(
                one.line,
                shortened(shown),
                self.key,
                source,
                patterns,
                target,
                inline,
                chown,
                mode,
                unpack,
                one.parents,
                remotes,
            )
        )
        self.settings.told(f"{spoken} # buildkit", layer=True)


def cleaned(text: str) -> str:
    """Relative to the root of where it comes from, which nothing climbs out of; `/./` stays for --parents."""
    pivot = text.find("/./")
    if pivot >= 0:
        return f"{cleaned(text[:pivot])}/./{cleaned(text[pivot + 3 :])}".lstrip("/")
    return posixpath.normpath(posixpath.join("/", text)).lstrip("/") or "."


def absolute(text: str, workdir: str) -> str:
    path = posixpath.normpath(posixpath.join("/", workdir, text))
    folder = text.endswith(("/", "/.")) or text in (".", "")
    return "/" + path.strip("/") + "/" * (folder and path.strip("/") != "")


def octal(text: str, line: int) -> int | None:
    if not text:
        return None
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o7777:
        raise Refused(
            line, f'--chmod={text}: expected an octal mode like "755" (symbolic modes are not supported here)'
        )
    return mode
