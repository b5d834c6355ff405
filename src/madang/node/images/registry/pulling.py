"""The work of a pull: the first registry that has the image is asked for it, and its layers become folders.

In: a reference, the store, and where we may ask. Out: the manifest's digest. As with an archive, nothing is visible
before everything is there and true (loading.py).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from madang.node.images.layout import Layout
from madang.node.images.limits import BadArchive
from madang.node.images.loading import take_from
from madang.node.images.offers import here
from madang.node.images.reference import Reference, parse
from madang.node.images.registry.client import Client, RegistryError
from madang.node.images.registry.credentials import Login, login
from madang.node.images.registry.patience import Patience
from madang.node.images.registry.places import own
from madang.node.images.registry.source import RegistrySource, Told


def pull(
    layout: Layout,
    text: str,
    places: Sequence[str],
    config: Callable[[], Mapping[str, Any]],
    told: Told,
    *,
    platform: str = "",
    patience: Patience | None = None,
) -> str:
    """`places` are tried in turn until one has the image; `config` is read when one wants to know who we are. Raises
    RegistryError, BadCredentials, BadArchive, NoRoom, OSError and ValueError."""
    image = parse(text)
    if not image.path:
        raise ValueError(f'image "{text}": a digest alone names no registry')
    layout.make()
    missed = []
    with layout.adding() as work:
        for place in places:
            client = Client(place, image, _who(place, image, config), patience=patience)
            try:
                with RegistrySource(client, layout, work / "coming", told) as source:
                    try:
                        source.resolve()
                    except RegistryError as error:
                        missed.append(error)
                        continue
                    return _take(layout, source, work, platform)
            finally:
                client.close()
    raise RegistryError("; ".join(map(str, missed)), missed[-1].status)


def _take(layout: Layout, source: RegistrySource, work: Path, platform: str) -> str:
    found = take_from(layout, source, work, lambda *_: None, (), platform or here())
    if len(found) != 1:
        raise BadArchive(f"{len(found)} images where one was asked for")
    return found[0]


def _who(place: str, image: Reference, config: Callable[[], Mapping[str, Any]]) -> Callable[[], Login | None]:
    """A mirror gets what is kept under its own name, never what is another registry's."""
    asked = image if place == own(image.domain) else Reference(place.partition("://")[2].partition("/")[0], image.path)
    return cache(partial(_login, config, asked))


def _login(config: Callable[[], Mapping[str, Any]], image: Reference) -> Login | None:
    return login(config(), image)
