"""`madang build`: an image from a folder with a Dockerfile, or from a Python folder without one, kept among the
courtyard's images."""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from madang.cli import courtyards
from madang.cli.options import DEFAULT, Name, Output
from madang.cli.refusal import Refusal
from madang.cli.screen import AS_JSON, plain, print_json, say, warn

if TYPE_CHECKING:
    from collections.abc import Callable

    from madang.node.building.building import Told
    from madang.node.building.dockerfile_image import Asked
    from madang.node.building.python_image import Asked as Python
    from madang.node.images.image import Image

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder that COPY takes files from.")]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", "-t", metavar="REF", help="The image's name; can be repeated.")
]
File = Annotated[Path | None, typer.Option("--file", "-f", help="The Dockerfile; default: DIR/Dockerfile.")]
Args = Annotated[
    list[str] | None,
    typer.Option("--build-arg", metavar="NAME[=VALUE]", help="For an ARG; without a value the environment's."),
]
Target = Annotated[str, typer.Option("--target", help="The stage to build; default: the last.")]
Secrets = Annotated[
    list[str] | None,
    typer.Option("--secret", metavar="id=ID[,src=FILE|,env=NAME]", help="For RUN --mount=type=secret."),
]
Base = Annotated[
    str,
    typer.Option(
        "--base", metavar="REF", help="Without a Dockerfile: the image to stand on; default: python:VERSION-slim."
    ),
]
Fresh = Annotated[bool, typer.Option("--no-cache", help="Do every step again.")]
Newest = Annotated[
    bool | None,
    typer.Option(
        "--pull/--no-pull",
        help="Ask registries for newer images to stand on; with --no-pull never, not even for those that are lacking.",
    ),
]


def build(
    folder: Folder,
    tags: Tags = None,
    file: File = None,
    build_arg: Args = None,
    target: Target = "",
    secret: Secrets = None,
    base: Base = "",
    no_cache: Fresh = False,
    pull: Newest = None,
    name: Name = DEFAULT,
    output: Output = "",
) -> None:
    """Build an image from a Dockerfile. Steps known from before are not done again.

    A folder with a pyproject.toml or requirements.txt needs no Dockerfile: its dependencies and its files become two
    layers on an image of Python.

    Images that it stands on and are not here are taken from Docker or Podman of this machine, else pulled. All files
    get one moment, SOURCE_DATE_EPOCH or the first of January 1980, so that the same input gives the same digest.

    Example: `madang build examples/shop/cart -t shop/cart:1`
    """
    from madang.dockerfile.refusal import Refused
    from madang.node.building import inside
    from madang.node.building.copying import Failed
    from madang.node.building.dockerfile_image import NoBase
    from madang.node.building.interpreter import NoPython
    from madang.node.building.runner import Unable
    from madang.node.building.wheels import NotInstalled
    from madang.node.images.worker import disk_error

    asked: Asked | Python
    if file is None and is_python(folder):
        only_for_dockerfiles(**{"--build-arg": build_arg, "--target": target, "--secret": secret})
        asked = python_question(folder, tuple(tags or ()), base, no_cache)
    else:
        if base:
            raise Refusal("--base: a Dockerfile names its base itself, with FROM", code=2)
        asked = question(folder, tuple(tags or ()), file, build_arg or [], target, secret or [], no_cache)
    told = nothing if output == AS_JSON else tell
    try:
        inside.enter()
        if inside.few():
            warn("no ids are lent to this user (/etc/subuid, newuidmap): all files of the image belong to root")
        home = courtyards.find(name).home
        if pull:
            renew(asked, home)
        image = made(asked, home, told, bring=pull is not False)
    except (Refused, Failed, NoBase, NoPython, NotInstalled, Unable, ValueError) as error:
        raise Refusal(str(error)) from error
    except OSError as error:
        raise Refusal(f"the build failed: {disk_error(error, str(asked.folder))}") from error
    if output == AS_JSON:
        print_json({"id": image.id, "digest": image.digest, "names": list(image.refs), "layers": len(image.layers)})
        return
    say(plain(f"built {', '.join(image.refs) or image.id} ({len(image.layers)} layers, {image.digest})"))


def made(asked: "Asked | Python", home: Path, told: "Callable[[Told], None]", bring: bool) -> "Image":
    """What it stands on and is not here is brought: which images that are is known only from others, now and then."""
    from madang.node.building.dockerfile_image import Asked, NoBase

    tried = set[str]()
    while True:
        try:
            return asyncio.run(carried_out(asked, home, told))
        except NoBase as error:
            if not bring or not error.ref or error.ref in tried:
                raise
            tried.add(error.ref)
            from madang.cli.images import lacking

            try:
                lacking.bring(home, error.ref)
            except lacking.Unbrought as why:
                other = "" if isinstance(asked, Asked) or asked.base else "; or name another with --base"
                raise NoBase(f"{why}; without a registry `madang image load` brings it{other}") from error


def renew(asked: "Asked | Python", home: Path) -> None:
    """What registries have now of all that it stands on."""
    from madang.cli.images import lacking
    from madang.node.building.ahead import foretell
    from madang.node.building.dockerfile_image import NoBase
    from madang.node.images.place import opened

    try:
        for ref in foretell(asked, opened(home)).bases:
            lacking.renew(home, ref)
    except NoBase:
        return  # what is not here will be new


async def carried_out(asked: "Asked | Python", home: Path, tell: "Callable[[Told], None]") -> "Image":
    from madang.node.building import python_image, runc
    from madang.node.building.dockerfile_image import build as built

    if isinstance(asked, python_image.Asked):
        return await python_image.build(asked, home, tell, starts if tell is not nothing else lambda _: None)
    return await built(asked, home, runc.found(home), tell, warn)


def question(
    folder: Path,
    tags: tuple[str, ...],
    file: Path | None,
    args: list[str],
    target: str,
    secrets: list[str],
    fresh: bool,
) -> "Asked":
    from madang.node.building.dockerfile_image import Asked

    dockerfile = file or folder / "Dockerfile"
    if not folder.is_dir():
        raise Refusal(f"{folder}: expected a folder to build from", code=2)
    if not dockerfile.is_file():
        python = "" if file else ", or describe a Python program with a pyproject.toml or requirements.txt"
        raise Refusal(f"{dockerfile}: there is no such Dockerfile; name it with --file{python}", code=2)
    check(tags)
    given = dict(argument(text) for text in args if "=" in text or text in os.environ)
    kept = dict(secret(text) for text in secrets)
    return Asked(folder.absolute(), dockerfile.absolute(), tags, given, target, moment(), kept, fresh)


def python_question(folder: Path, tags: tuple[str, ...], base: str, fresh: bool) -> "Python":
    from madang.node.building.python_image import Asked as Python

    check((*tags, *([base] if base else [])))
    return Python(folder.absolute(), tags, base, moment(), fresh)


def is_python(folder: Path) -> bool:
    from madang.node.images.build.project import is_project

    return folder.is_dir() and not (folder / "Dockerfile").exists() and is_project(os.listdir(folder))


def only_for_dockerfiles(**given: object) -> None:
    for option, value in given.items():
        if value:
            raise Refusal(f"{option}: only for a Dockerfile, and the folder has none", code=2)


def check(refs: tuple[str, ...]) -> None:
    from madang.node.images.reference import parse

    for ref in refs:
        try:
            parse(ref)
        except ValueError as error:
            raise Refusal(str(error), code=2) from error


def moment() -> int | None:
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch and not epoch.isdigit():
        raise Refusal(f'SOURCE_DATE_EPOCH: expected seconds since 1970, found "{epoch}"', code=2)
    return int(epoch) if epoch else None


def argument(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    return name, value if sign else os.environ[name]


def secret(text: str) -> tuple[str, bytes]:
    parts = dict(part.partition("=")[::2] for part in text.split(","))
    name, source = parts.get("id", ""), parts.get("src") or parts.get("source") or ""
    if not name or set(parts) - {"id", "src", "source", "env", "type"}:
        raise Refusal(f"--secret {text}: expected id=ID, with src=FILE or env=NAME", code=2)
    variable = parts.get("env") or ("" if source else name)
    if variable in os.environ:
        return name, os.environb[variable.encode()]
    try:
        return name, Path(source or name).read_bytes()
    except OSError as error:
        raise Refusal(f"--secret {text}: {source or name}: {error.strerror}", code=2) from error


def tell(told: "Told") -> None:
    """Steps as they begin, and what their programs write: each line carries its step, as several run at once."""
    mark = f"[{told.stage} {told.number}/{told.steps}]"
    if told.what == "line":
        sys.stdout.write(f"{mark} {told.line}\n")
    elif told.what != "done":
        sys.stdout.write(f"{mark} {'CACHED ' if told.what == 'cached' else ''}{told.title}\n")
    sys.stdout.flush()


def starts(line: str) -> None:
    sys.stdout.write(f"[python] {line}\n")


def nothing(told: "Told") -> None:
    """For who reads the result alone."""
