"""The work of a pull: the first registry that has the image is asked for it, and its layers become folders.

In: a reference, the store, and where we may ask. Out: the manifest's digest. As with an archive, nothing is visible
before everything is there and true (loading.py). A mirror that breaks off, or lies, is no reason to do without: the
next place is asked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from madang.node.images.layout import Layout
from madang.node.images.limits import BadArchive
from madang.node.images.loading import take_from
from madang.node.images.offers import here
from madang.node.images.reference import Reference, parse
from madang.node.images.registry.certificates import BadCertificate
from madang.node.images.registry.client import Asked, Client, RegistryError
from madang.node.images.registry.credentials import Login, login
from madang.node.images.registry.patience import Patience
from madang.node.images.registry.places import own
from madang.node.images.registry.reach import Unreached, reached
from madang.node.images.registry.source import KINDS, RegistrySource, Told


@dataclass(frozen=True, slots=True)
class Pulled:
    """`place` is where it came from."""

    digest: str
    place: str


def pull(
    layout: Layout,
    text: str,
    places: Sequence[str],
    config: Callable[[], Mapping[str, Any]],
    told: Told,
    *,
    platform: str = "",
    patience: Patience | None = None,
    reach_s: float | None = None,
) -> Pulled:
    """`places` are tried in turn until one has the image; `config` is read when one wants to know who we are. With
    `reach_s` a place where nobody listens is passed over after that time. Raises RegistryError, BadCredentials,
    BadArchive, NoRoom, OSError and ValueError."""
    image = named(text)
    layout.make()
    missed: list[RegistryError | BadArchive] = []
    with layout.adding() as work:
        for number, place in enumerate(places):
            try:
                with _client(place, image, config, patience, reach_s) as client:
                    return Pulled(_fetch(layout, client, work / f"place-{number}", told, platform), client.base)
            except BadArchive as error:
                if place == places[-1]:
                    raise
                missed.append(error)
            except RegistryError as error:
                missed.append(error)
    raise _all_of(missed)


def current(text: str, places: Sequence[str], config: Callable[[], Mapping[str, Any]], within_s: float) -> Pulled:
    """What the first place that knows the image calls it now: a digest, nothing is fetched. Raises as `pull` does."""
    image, missed = named(text), list[RegistryError | BadArchive]()
    quick = Patience(tries=1, connect_s=within_s, silence_s=within_s)
    for place in places:
        try:
            with _client(place, image, config, quick, within_s) as client:
                wanted = client.url(f"manifests/{image.digest or image.tag}")
                answer = client.request(Asked("HEAD", wanted, {"accept": ", ".join(KINDS)}))
                return Pulled(str(answer.headers.get("docker-content-digest", "")), client.base)
        except RegistryError as error:
            missed.append(error)
    raise _all_of(missed)


def named(text: str) -> Reference:
    image = parse(text)
    if not image.path:
        raise ValueError(f'image "{text}": a digest alone names no registry')
    return image


@contextmanager
def _client(
    place: str,
    image: Reference,
    config: Callable[[], Mapping[str, Any]],
    patience: Patience | None,
    reach_s: float | None,
) -> Iterator[Client]:
    try:
        base = place if reach_s is None else reached(place, reach_s)
        client = Client(base, image, _who(place, image, config), patience=patience)
    except (Unreached, BadCertificate) as error:
        raise RegistryError(str(error)) from error
    try:
        yield client
    finally:
        client.close()


def _all_of(missed: Sequence[RegistryError | BadArchive]) -> RegistryError:
    status = next((e.status for e in reversed(missed) if isinstance(e, RegistryError) and e.status), 0)
    return RegistryError("; ".join(map(str, missed)), status)


def _fetch(layout: Layout, client: Client, work: Path, told: Told, platform: str) -> str:
    work.mkdir()
    with RegistrySource(client, layout, work / "coming", told) as source:
        source.resolve()
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
