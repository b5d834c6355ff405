"""An image's configuration while a stage is planned: what each instruction that moves no file does to it. Pure.

In: the configuration of the base, as docker writes it; instructions whose variables are replaced. Out: the
configuration with its history, each entry as BuildKit words it.
"""

import copy
import json
import posixpath
import re
import signal
from collections.abc import Mapping, Sequence
from typing import Any

from madang.dockerfile.durations import spelled
from madang.dockerfile.instructions import Health
from madang.dockerfile.ports import ports
from madang.dockerfile.refusal import Refused

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHELL = ("/bin/sh", "-c")
COMMENT = "buildkit.dockerfile.v0"


class Settings:
    """`full` is the whole document, `run` its `config` part; both are this stage's own."""

    def __init__(self, base: Mapping[str, Any], created: str) -> None:
        self.full: dict[str, Any] = copy.deepcopy(dict(base))
        self.run: dict[str, Any] = self.full.setdefault("config", None) or {}
        self.full["config"] = self.run
        self.full["history"] = list(self.full.get("history") or [])
        self.full["created"] = created
        for stale in ("container", "container_config", "docker_version", "id", "parent", "rootfs"):
            self.full.pop(stale, None)
        self.created = created

    @classmethod
    def scratch(cls, platform: str, created: str) -> "Settings":
        os, architecture, *variant = platform.split("/")
        names = {"architecture": architecture, "os": os, **({"variant": variant[0]} if variant else {})}
        return cls({**names, "config": {"Env": [f"PATH={PATH}"], "WorkingDir": "/"}}, created)

    def told(self, text: str, layer: bool = False) -> None:
        entry = {"created": self.created, "created_by": text, "comment": COMMENT}
        self.full["history"].append(entry if layer else {**entry, "empty_layer": True})

    def env(self) -> dict[str, str]:
        return dict(one.partition("=")[::2] for one in self.run.get("Env") or ())

    @property
    def shell(self) -> tuple[str, ...]:
        return tuple(self.run.get("Shell") or SHELL)

    @property
    def workdir(self) -> str:
        return str(self.run.get("WorkingDir") or "/")

    @property
    def user(self) -> str:
        return str(self.run.get("User") or "")

    def set_pairs(self, instruction: str, pairs: Sequence[tuple[str, str]]) -> None:
        """ENV or LABEL."""
        if instruction == "ENV":
            self.run["Env"] = [f"{name}={value}" for name, value in {**self.env(), **dict(pairs)}.items()]
        else:
            self.run["Labels"] = {**(self.run.get("Labels") or {}), **dict(pairs)}
        self.told(instruction + "".join(f" {name}={value}" for name, value in pairs))

    def set_command(self, name: str, words: Sequence[str], keep_cmd: bool) -> None:
        """CMD or ENTRYPOINT. An ENTRYPOINT forgets the CMD that came with the base."""
        if name == "ENTRYPOINT":
            self.run["Entrypoint"] = list(words) or None
            if not keep_cmd:
                self.run.pop("Cmd", None)
        else:
            self.run["Cmd"] = list(words)
            self.run["ArgsEscaped"] = True
        self.told(f"{name} [{' '.join(quoted(word) for word in words)}]")

    def set_workdir(self, path: str) -> str:
        joined = posixpath.normpath(posixpath.join("/", self.workdir, path))
        self.run["WorkingDir"] = "/" + joined.lstrip("/")
        return self.workdir

    def set_text(self, name: str, text: str, line: int) -> None:
        if name == "STOPSIGNAL":
            check_signal(text, line)
            self.run["StopSignal"] = text
        elif name == "USER":
            self.run["User"] = text
        else:
            self.full["author"] = text
        self.told(f"{name} {text}")

    def set_listing(self, name: str, words: Sequence[str], line: int) -> None:
        if name == "SHELL":
            self.run["Shell"] = list(words)
        elif name == "VOLUME":
            self.run["Volumes"] = {**(self.run.get("Volumes") or {}), **{word: {} for word in words}}
        else:
            found = {port for word in words for port in ports(word, line)}
            self.run["ExposedPorts"] = {**(self.run.get("ExposedPorts") or {}), **{p: {} for p in sorted(found)}}
            self.told(f"EXPOSE map[{' '.join(f'{p}:{{}}' for p in sorted(found))}]")
            return
        self.told(f"{name} [{' '.join(words)}]")

    def set_health(self, health: Health) -> None:
        times = dict(health.times)
        retries = {"Retries": health.retries} if health.retries else {}
        self.run["Healthcheck"] = {"Test": list(health.test), **times, **retries}
        spoken = (
            f"{key}:{spelled(times.get(key, 0))}" for key in ("Interval", "Timeout", "StartPeriod", "StartInterval")
        )
        self.told(f"HEALTHCHECK {{Test:[{' '.join(health.test)}] {' '.join(spoken)} Retries:{health.retries}}}")

    def add_trigger(self, trigger: str) -> None:
        self.run["OnBuild"] = [*(self.run.get("OnBuild") or ()), trigger]

    def take_triggers(self) -> list[str]:
        return list(self.run.pop("OnBuild", None) or ())


def quoted(word: str) -> str:
    return json.dumps(word, ensure_ascii=False)


def check_signal(text: str, line: int) -> None:
    name = text.upper().removeprefix("SIG")
    if text.isdigit():
        good = 0 < int(text) <= 64
    else:
        good = f"SIG{name}" in signal.Signals.__members__ or bool(re.fullmatch(r"RTM(IN\+|AX-)\d\d?", name))
    if not good:
        raise Refused(line, f"STOPSIGNAL {text}: Invalid signal: {text}")
