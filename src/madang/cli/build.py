"""`madang build`: an image from a folder with a Dockerfile, kept among the courtyard's images."""

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
Fresh = Annotated[bool, typer.Option("--no-cache", help="Do every step again.")]


def build(
    folder: Folder,
    tags: Tags = None,
    file: File = None,
    build_arg: Args = None,
    target: Target = "",
    secret: Secrets = None,
    no_cache: Fresh = False,
    name: Name = DEFAULT,
    output: Output = "",
) -> None:
    """Build an image from a Dockerfile. Steps known from before are not done again.

    The images that it stands on must be here. All files get one moment, SOURCE_DATE_EPOCH or the first of January 1980,
    so that the same input gives the same digest.

    Example: `madang build examples/shop/cart -t shop/cart:1`
    """
    from madang.node.building import overlay
    from madang.node.building.copying import Failed
    from madang.node.building.dockerfile_image import NoBase
    from madang.node.building.runner import Unable
    from madang.node.images.build.refusal import Refused

    asked = question(folder, tuple(tags or ()), file, build_arg or [], target, secret or [], no_cache)
    if os.geteuid() != 0:
        raise Refusal("a Dockerfile is built by root alone so far: its layers are mounted")
    told = nothing if output == AS_JSON else tell
    try:
        overlay.own_mounts()
        image = asyncio.run(carried_out(asked, courtyards.find(name).home, told))
    except (Refused, Failed, NoBase, Unable, ValueError) as error:
        raise Refusal(str(error)) from error
    except OSError as error:
        raise Refusal(f"the build failed: {error.strerror or error}: {error.filename or asked.folder}") from error
    if output == AS_JSON:
        print_json({"id": image.id, "digest": image.digest, "names": list(image.refs), "layers": len(image.layers)})
        return
    say(plain(f"built {', '.join(image.refs) or image.id} ({len(image.layers)} layers, {image.digest})"))


async def carried_out(asked: "Asked", home: Path, tell: "Callable[[Told], None]") -> "Image":
    from madang.node.building import runc
    from madang.node.building.dockerfile_image import build as built

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
    from madang.node.images.reference import parse

    dockerfile = file or folder / "Dockerfile"
    if not folder.is_dir():
        raise Refusal(f"{folder}: expected a folder to build from", code=2)
    if not dockerfile.is_file():
        raise Refusal(f"{dockerfile}: there is no such Dockerfile; name it with --file", code=2)
    for tag in tags:
        try:
            parse(tag)
        except ValueError as error:
            raise Refusal(str(error), code=2) from error
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch and not epoch.isdigit():
        raise Refusal(f'SOURCE_DATE_EPOCH: expected seconds since 1970, found "{epoch}"', code=2)
    given = dict(argument(text) for text in args if "=" in text or text in os.environ)
    kept = dict(secret(text) for text in secrets)
    moment = int(epoch) if epoch else None
    return Asked(folder.absolute(), dockerfile.absolute(), tags, given, target, moment, kept, fresh)


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


def nothing(told: "Told") -> None:
    """For who reads the result alone."""
