"""`madang image load` and `madang image tag`."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from madang.cli.images import opened
from madang.cli.images.bars import bars
from madang.cli.options import DEFAULT, Name, Output
from madang.cli.refusal import Refusal
from madang.cli.screen import AS_JSON, plain, print_json, say

if TYPE_CHECKING:
    from madang.node.images.image import Image

Archive = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="An archive, a folder with an OCI layout, or - for standard input."),
]


def load(
    file: Archive,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", "-t", help="Name it so, instead of as the archive does (repeatable).")
    ] = None,
    platform: Annotated[
        str, typer.Option("--platform", help="Which of several, `linux/arm64` for example; default: this machine's.")
    ] = "",
    name: Name = DEFAULT,
    output: Output = "",
) -> None:
    """Take images from an archive of `docker save`, `podman save`, `skopeo copy` or `madang image save`.

    Plain, gzip or zstd. Each layer is checked against its digest and unpacked once, however many images have it.

    Example: `docker save redis:7 | madang image load -`
    """
    # the worker that reads it has another standard input
    source = Path(f"/proc/{os.getpid()}/fd/0") if str(file) == "-" else file
    images = asyncio.run(_load(opened.store(name).layout.home, source, tuple(tag or ()), platform))
    if output == AS_JSON:
        print_json([{"id": i.id, "digest": i.digest, "refs": i.refs, "size": i.size} for i in images])
        return
    for image in images:
        for line in image.refs or (f"{image.id} (no name: give one with `madang image tag {image.id[7:19]} NAME`)",):
            say(plain(f"loaded {line}"))


async def _load(folder: Path, file: Path, tags: tuple[str, ...], platform: str) -> "list[Image]":
    from madang.node.images.load import LoadError
    from madang.node.images.load import load as take

    with bars() as progress:
        try:
            return await take(folder, file, tags=tags, platform=platform, progress=progress)
        except (LoadError, ValueError) as error:
            raise Refusal(f"nothing was loaded: {error}") from error


def tag(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A name, a digest, or the first digits of an id.")],
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="The names to give it.")],
    name: Name = DEFAULT,
) -> None:
    """Give an image more names. A name that another image has goes over to this one.

    Example: `madang image tag redis:7 localhost:5000/redis:7`
    """
    from madang.node.images.naming import entry_of, give
    from madang.node.images.reference import parse

    images = opened.store(name)
    found = opened.image(images, image)
    try:
        refs = [parse(n) for n in names]
    except ValueError as error:
        raise Refusal(str(error), code=2) from error
    if wrong := [str(r) for r in refs if r.digest]:
        raise Refusal(f"{wrong[0]}: a digest is not given, it is what the image has: leave it out", code=2)
    with images.layout.changing() as entries:
        give(entries, entry_of(entries, found.digest), tuple(str(r) for r in refs))
