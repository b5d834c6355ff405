"""`madang image save`."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from madang.cli.images import opened
from madang.cli.options import DEFAULT, Name
from madang.cli.refusal import Refusal
from madang.cli.screen import plain, say


def save(
    images: opened.Names,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="The archive to write; default: standard output.")
    ] = None,
    name: Name = DEFAULT,
) -> None:
    """Write images into one archive, an OCI layout that docker, podman, skopeo and containerd read.

    Digests stay what they are. The same images give the same bytes.

    Example: `madang image save redis:7 -f redis.tar`
    """
    from madang.node.images.reference import parse
    from madang.node.images.saving import save as write

    store = opened.store(name)
    chosen = {}
    for text in images:
        image = opened.image(store, text)
        try:
            ref = str(parse(text))
        except ValueError:
            ref = ""
        for known in [ref] if ref in image.refs else image.refs or (image.digest,):
            chosen[known] = image
    if file is None:
        if sys.stdout.isatty():
            raise Refusal("an archive is nothing for a terminal: name a file with -f, or send the output somewhere")
        write(store.layout, chosen, sys.stdout.buffer)
        return
    new = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        with open(new, "wb") as out:
            write(store.layout, chosen, out)
            out.flush()
            os.fsync(out.fileno())
        new.replace(file)
    except OSError as error:
        raise Refusal(f"{error.filename or file}: {error.strerror}: nothing was saved") from error
    finally:
        new.unlink(missing_ok=True)
    say(plain(f"{file}: {opened.size(file.stat().st_size)}, {len(set(chosen.values()))} images"))
