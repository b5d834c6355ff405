"""Images that a command lacks: brought from Docker or Podman of this machine, else from their registry, with a bar.

In: the courtyard's home, a reference. Out: the image is here, and a line on standard error says where it came from; or
`Unbrought` with the reason. What failed once is not tried again by the same command.
"""

import asyncio
from pathlib import Path

from madang.cli.images.bars import bars
from madang.cli.screen import console, plain, warn
from madang.node.images import engines
from madang.node.images.place import images, opened
from madang.node.images.reference import parse
from madang.node.images.registry.bring import Brought, current
from madang.node.images.registry.bring import bring as brought
from madang.node.images.registry.pull import PullError
from madang.node.images.store import Store

FAILED: dict[str, str] = {}


class Unbrought(Exception):
    """The message says of which image, and why."""


def is_here(home: Path, reference: str) -> bool:
    return _found(opened(home), reference)


def nearby(home: Path, reference: str) -> bool:
    """Here, or with an engine of this machine, from which it is then taken over."""
    if is_here(home, reference):
        return True
    try:
        image = parse(reference)
        if not image.path or not engines.may_have() or not engines.has(image):
            return False
        bring(home, reference)
    except (ValueError, Unbrought):
        return False
    return True


def bring(home: Path, reference: str) -> None:
    """If it is not here."""
    if is_here(home, reference):
        return
    if reference in FAILED:
        raise Unbrought(FAILED[reference])
    with bars() as told:
        try:
            found = asyncio.run(brought(images(home), reference, progress=told))
        except PullError as error:
            why = error.without(reference)
            FAILED[reference] = f'the image "{reference}" is not here, and could not be pulled: {why}'
            raise Unbrought(FAILED[reference]) from error
    _tell(reference, found)


def renew(home: Path, reference: str) -> None:
    """What the registry has now takes the name, if it is another; where nobody can be asked, what is here stays."""
    store = opened(home)
    here = store.find(reference)
    if here is None:
        bring(home, reference)
        return
    try:
        digest = asyncio.run(current(reference))
        if (found := store.find(digest) if digest else None) is not None and found.digest == here.digest:
            return
        with bars() as told:
            _tell(reference, asyncio.run(brought(store.layout.home, reference, engines=False, progress=told)))
    except PullError as error:
        warn(
            f"{reference}: the image that is here is used; what its registry has now is not known: "
            f"{error.without(reference)}"
        )


def _tell(reference: str, found: Brought) -> None:
    where = f"taken over from {found.origin} on this machine" if found.by_engine else f"pulled from {found.origin}"
    console(stderr=True).print(plain(f"{reference}: {where}"))


def _found(store: Store, reference: str) -> bool:
    try:
        return store.find(reference) is not None
    except ValueError:
        return False
