"""The work of a push: what the registry lacks goes there, then the manifest that names it.

In: an image of the store, by a name that it has, and the registry's address. Out: the digest that the registry has now.
A blob that is there is passed over; one that another repository of this registry may have is mounted from there.
Source: OCI distribution specification, sections on pushing.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

from madang.node.images.flow import CHUNK
from madang.node.images.layout import Layout
from madang.node.images.offers import sha256
from madang.node.images.reference import parse
from madang.node.images.registry.client import Asked, Client, RegistryError
from madang.node.images.registry.credentials import login
from madang.node.images.registry.packing import parcel
from madang.node.images.registry.patience import AGAIN, Patience
from madang.node.images.registry.source import AT_ONCE, Told
from madang.node.images.store import Store

MOUNTS = 2  # other repositories that are asked for
OCTETS = {"content-type": "application/octet-stream"}


def push(
    layout: Layout,
    text: str,
    place: str,
    config: Callable[[], Mapping[str, Any]],
    told: Told,
    *,
    patience: Patience | None = None,
) -> str:
    """Raises RegistryError, BadCredentials, OSError, and ValueError where there is no such image."""
    name, store = parse(text), Store(layout.home)
    image = store.find(text)
    if image is None or not name.tag:
        raise ValueError("no image here has this name; give it one with `madang image tag IMAGE NAME`")
    names = [parse(r) for i in store.all() if set(i.layers) & set(image.layers) for r in i.refs]
    others = tuple(dict.fromkeys(n.path for n in names if n.domain == name.domain and n.path != name.path))[:MOUNTS]
    client = Client(
        place, name, cache(lambda: login(config(), name)), actions="pull,push", mount_from=others, patience=patience
    )
    try:
        with layout.adding() as work, ThreadPoolExecutor(AT_ONCE, thread_name_prefix="push") as threads:
            sent = parcel(layout, image, work)
            going = [
                threads.submit(_bring, client, d, f, others, partial(told, d[7:19])) for d, f in sent.blobs.items()
            ]
            try:
                for each in going:
                    each.result()
            finally:
                threads.shutdown(wait=False, cancel_futures=True)
            return _name_it(client, name.tag, sent.manifest, sent.kind)
    finally:
        client.close()


def _name_it(client: Client, tag: str, manifest: bytes, kind: str) -> str:
    asked = Asked(
        "PUT", client.url(f"manifests/{tag}"), {"content-type": kind}, lambda: iter((manifest,)), len(manifest)
    )
    digest = sha256(manifest)
    said = client.request(asked).headers.get("docker-content-digest", digest)
    if said != digest:
        raise RegistryError(f"{client.base}: it was given {digest} and says that it has {said}")
    return digest


def _bring(client: Client, digest: str, file: Path, others: tuple[str, ...], told: Callable[[int, int], None]) -> None:
    size = file.stat().st_size
    told(0, size)
    failures = 0
    while not _there(client, digest):
        try:
            _upload(client, digest, file, others, told)
            break
        except RegistryError as error:
            # an upload that broke is begun again as a whole: what the registry has of it is not told by all
            failures += 1
            wait_s = client.patience.delay_s(failures)
            if wait_s is None or (error.status and error.status not in AGAIN):
                raise
            time.sleep(wait_s)
    told(size, size)


def _there(client: Client, digest: str) -> bool:
    try:
        client.request(Asked("HEAD", client.url(f"blobs/{digest}")))
    except RegistryError as error:
        if error.status != 404:
            raise
        return False
    return True


def _upload(client: Client, digest: str, file: Path, others: tuple[str, ...], told: Callable[[int, int], None]) -> None:
    where = client.url("blobs/uploads/")
    answer = None
    for other in others:
        asked = Asked("POST", f"{where}?{urlencode({'mount': digest, 'from': other})}")
        answer = client.request(asked)
        if answer.status == 201:
            return
    answer = answer or client.request(Asked("POST", where))
    to = urljoin(where, answer.headers.get("location", ""))
    to += f"{'&' if '?' in to else '?'}{urlencode({'digest': digest})}"
    size = file.stat().st_size
    client.request(Asked("PUT", to, OCTETS, lambda: _bytes(file, size, told), size, once=True))


def _bytes(file: Path, size: int, told: Callable[[int, int], None]) -> Iterator[bytes]:
    done = 0
    with open(file, "rb") as source:
        while chunk := source.read(CHUNK):
            yield chunk
            done += len(chunk)
            if done < size:  # the last word is the registry's
                told(done, size)
