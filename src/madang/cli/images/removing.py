"""`madang image rm` and `madang image prune`."""

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from madang.cli.images import opened
from madang.cli.options import DEFAULT, Name
from madang.cli.refusal import Refusal
from madang.cli.screen import plain, say

if TYPE_CHECKING:
    from madang.node.images.store import Store


def rm(
    images: opened.Names,
    force: Annotated[
        bool, typer.Option("--force", help="Also what has other names, and what runs: its files stay until it ends.")
    ] = False,
    name: Name = DEFAULT,
) -> None:
    """Remove images: a name alone while the image has others, else the image with the layers that no other has.

    Example: `madang image rm redis:7`
    """
    from madang.node.images.collection import let_go, untag
    from madang.node.images.reference import parse

    store = opened.store(name)
    found = [(text, opened.image(store, text)) for text in images]
    for text, image in found:
        try:
            ref = str(parse(text))
        except ValueError:
            ref = ""
        users = store.holders(image.digest)
        if ref in image.refs and len(image.refs) > 1 and not force:
            untag(store, image, ref)
            say(plain(f"untagged {ref}"))
            continue
        if len(image.refs) > 1 and not force:
            raise Refusal(f"{text} has several names ({', '.join(image.refs)}): remove one of them, or use --force")
        if users and not force:
            raise Refusal(f"{text} is used by {', '.join(users[:5])}: stop what runs, or use --force")
        let_go(store, [image.digest])
        say(plain(f"removed {text}"))
    _sweep(store)


def prune(
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="All that nothing uses, not only images without a name.")
    ] = False,
    builds: Annotated[
        bool, typer.Option("--builds", help="Instead of images: what builds keep, steps and cache mounts.")
    ] = False,
    keep: Annotated[
        str, typer.Option("--keep", metavar="SIZE", help="With --builds: so much stays, what was used last (2GB).")
    ] = "",
    name: Name = DEFAULT,
) -> None:
    """Remove images without a name that nothing uses, and what killed loads left; or the cache of builds.

    When the disk is more than 85 % full, a load does so by itself: what builds keep goes first, then the longest unused
    images, until it is 80 %.

    Example: `madang image prune --all`
    """
    if keep and not builds:
        raise Refusal("--keep: only with --builds", code=2)
    if builds:
        _prune_builds(name, opened.bytes_of(keep, "--keep") if keep else 0)
        return
    from madang.node.images.collection import candidates, let_go, unused

    store = opened.store(name)
    gone = let_go(store, unused(candidates(store), named_too=everything))
    for digest in gone:
        say(plain(f"removed {digest}"))
    _sweep(store, always=True)


def _prune_builds(name: str, keep_bytes: int) -> None:
    from madang.cli import courtyards
    from madang.node.building import inside
    from madang.node.building.cache import Cache
    from madang.node.building.pruning import prune_now
    from madang.node.building.runner import Unable

    if os.geteuid() != 0:
        with suppress(Unable):  # else its own files go alone
            inside.enter()
    try:
        freed = prune_now(Cache.of(courtyards.find(name).home), keep_bytes)
    except BlockingIOError as error:
        raise Refusal("a build is under way: nothing was removed") from error
    except OSError as error:
        raise Refusal(f"{error.filename}: {error.strerror}") from error
    say(f"{opened.size(freed)} freed")


def _sweep(store: "Store", *, always: bool = False) -> None:
    from madang.node.images.collection import sweep

    try:
        freed = sweep(store.layout)
    except BlockingIOError:
        say("something is being loaded or saved: the space is freed by the next `madang image prune`")
        return
    if freed or always:
        say(f"{opened.size(freed)} freed")
