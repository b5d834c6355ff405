"""`madang image pull` and `madang image push`."""

import asyncio
from typing import Annotated

import typer

from madang.cli.images import opened
from madang.cli.images.bars import bars
from madang.cli.options import DEFAULT, Name, Output
from madang.cli.refusal import Refusal
from madang.cli.screen import AS_JSON, plain, print_json, say


def pull(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A name (`redis:7`), or a name with a digest.")],
    platform: Annotated[
        str, typer.Option("--platform", help="Which of several, `linux/arm64` for example; default: this machine's.")
    ] = "",
    name: Name = DEFAULT,
    output: Output = "",
) -> None:
    """Fetch an image from its registry, as whom `docker login` has made you known there.

    Only layers that are not here are fetched, several at a time; every digest is checked.

    Example: `madang image pull redis:7`
    """
    from madang.node.images.reference import parse
    from madang.node.images.registry.pull import PullError
    from madang.node.images.registry.pull import pull as fetch

    folder = opened.store(name).layout.home
    with bars() as told:
        try:
            found = asyncio.run(fetch(folder, image, platform=platform, progress=told))
        except PullError as error:
            raise Refusal(f"nothing was pulled: {error}") from error
    if output == AS_JSON:
        print_json({"id": found.id, "digest": found.digest, "refs": found.refs, "size": found.size})
    else:
        say(plain(f"pulled {parse(image)}"))  # not all names that it has had before


def push(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A name of an image that is here; it says where to.")],
    name: Name = DEFAULT,
    output: Output = "",
) -> None:
    """Bring an image to the registry in its name. What is there already is not sent.

    Example: `madang image tag shop/cart:1 localhost:5000/cart:1`, then `madang image push localhost:5000/cart:1`
    """
    from madang.node.images.registry.push import PushError
    from madang.node.images.registry.push import push as send

    folder = opened.store(name).layout.home
    with bars() as told:
        try:
            digest = asyncio.run(send(folder, image, progress=told))
        except PushError as error:
            raise Refusal(f"not pushed: {error}") from error
    if output == AS_JSON:
        print_json({"reference": image, "digest": digest})
    else:
        say(plain(f"pushed {image} as {digest}"))
