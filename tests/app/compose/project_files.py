"""Files of a project under a test's folder."""

import textwrap
from pathlib import Path
from typing import Any

from madang import app
from madang.app.compose.project import Project, read


def write(folder: Path, **files: str) -> list[Path]:
    """`compose_yaml="..."`: the last underscore is the dot; gives the paths."""
    out = []
    for name, text in files.items():
        stem, _, end = name.rpartition("_")
        path = folder / (f"{stem}.{end}" if stem else f".{end}")
        path.write_text(textwrap.dedent(text))
        out.append(path)
    return out


def project(
    folder: Path, environment: dict[str, str] | None = None, profiles: tuple[str, ...] = (), **files: str
) -> Project:
    return read(write(folder, **files), environment=environment or {}, profiles=profiles)


def application(folder: Path, text: str, **options: Any) -> app.Application:
    write(folder, compose_yaml=text)
    return app.load([folder], app.LoadOptions(home=folder / "home", project="p", **options))


def find(application: app.Application, kind: str, name: str) -> dict[str, Any]:
    return next(o for o in application.objects if o["kind"] == kind and o["metadata"]["name"] == name)


def pod(application: app.Application, name: str, kind: str = "Deployment") -> dict[str, Any]:
    spec: dict[str, Any] = find(application, kind, name)["spec"]["template"]["spec"]
    return spec


def container(application: app.Application, name: str, kind: str = "Deployment") -> dict[str, Any]:
    first: dict[str, Any] = pod(application, name, kind)["containers"][0]
    return first
