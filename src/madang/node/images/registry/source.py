"""A registry's image, read as if it were an archive: what loads archives loads it.

In: a client, the reference, and the store. Out: a `Source` whose index.json names the one image. Documents are fetched
when they are asked for; as soon as a manifest is known all layers that the store lacks begin to come, several at a
time, while the first is already unpacked. Digests are checked by whoever reads (offers.py, flow.py), that of a tag's
manifest against what the registry says of it.
"""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from madang.node.images.flow import CHUNK
from madang.node.images.image import descriptor, manifest_parts
from madang.node.images.layout import INDEX, MANIFEST, PARTIAL, REF_NAME, Layout
from madang.node.images.limits import LIMITS, BadArchive
from madang.node.images.offers import sha256
from madang.node.images.registry.client import Asked, Client
from madang.node.images.registry.download import Download
from madang.node.images.source import parsed

AT_ONCE = 3
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
KINDS = (INDEX, MANIFEST, DOCKER_LIST, DOCKER_MANIFEST)
BLOBS = "blobs/sha256/"

Told = Callable[[str, int, int], None]  # (which layer, bytes done, bytes in all)


def fetch_manifest(client: Client, wanted: str) -> tuple[bytes, str]:
    """(body, media type) of a tag or a digest."""
    answer = client.request(Asked("GET", client.url(f"manifests/{wanted}"), {"accept": ", ".join(KINDS)}))
    said = answer.headers.get("docker-content-digest", "")
    found = sha256(answer.body)
    promised = wanted if wanted.startswith("sha256:") else said if said.startswith("sha256:") else found
    if found != promised:
        raise BadArchive(f"{promised} holds something else: its digest is {found}")
    body = parsed(answer.body, f"manifest {wanted}")
    kind = body.get("mediaType") if isinstance(body, dict) else None
    kind = kind or answer.headers.get("content-type", "").partition(";")[0].strip()
    if kind not in KINDS:
        raise BadArchive(f"manifest {wanted} is of the kind {kind or '?'}: none that is known here")
    return answer.body, kind


class RegistrySource:
    """Use as a context; `told` is called from several threads."""

    def __init__(self, client: Client, layout: Layout, work: Path, told: Told) -> None:
        self._client, self._layout, self._work, self._told = client, layout, work, told
        self._documents: dict[str, bytes] = {}
        self._sizes: dict[str, int] = {}
        self._manifests: set[str] = set()
        self._coming: dict[str, Download] = {}
        self._partial = layout.work / PARTIAL
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="pull")
        self._telling = threading.Lock()

    def __enter__(self) -> "RegistrySource":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for each in self._coming.values():
            each.stop()
        self._threads.shutdown(cancel_futures=True)
        # after a lie nothing that came is believed
        for each in self._coming.values():
            each.close(keep=kind is not None and not issubclass(kind, BadArchive))
        with suppress(OSError):
            self._partial.rmdir()

    def resolve(self) -> None:
        """Ask for the manifest. Nothing else is there before."""
        image = self._client.image
        body, kind = fetch_manifest(self._client, image.digest or image.tag)
        digest = sha256(body)
        entry = {"mediaType": kind, "digest": digest, "size": len(body), "annotations": {REF_NAME: str(image)}}
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
        self._documents["index.json"] = json.dumps(index).encode()
        self._keep(_name(digest), body)

    def has(self, name: str) -> bool:
        return name in self._documents or name in self._sizes

    def size(self, name: str) -> int:
        """Of a layer, as it was announced; of a document what really came, so that a lie is seen."""
        if name in self._manifests and name not in self._documents:
            self._keep(name, fetch_manifest(self._client, _digest(name))[0])
        if name in self._documents:
            return len(self._documents[name])
        if name not in self._sizes:
            raise BadArchive(f"{_digest(name)} is nowhere announced")
        return self._sizes[name]

    def chunks(self, name: str) -> Iterator[bytes]:
        if name in self._documents:
            yield self._documents[name]
            return
        size, kept = self.size(name), self._layout.blob(_digest(name))
        if name in self._coming and not kept.exists():
            yield from self._coming[name].chunks()
        elif kept.exists():
            with open(kept, "rb") as file:
                while chunk := file.read(CHUNK):
                    yield chunk
        else:
            if size > LIMITS.document_bytes:
                raise BadArchive(f"{_digest(name)} has {size} bytes: at most {LIMITS.document_bytes}")
            yield self._client.request(Asked("GET", self._client.url(f"blobs/{_digest(name)}"))).body

    def _keep(self, name: str, body: bytes) -> None:
        """A manifest or an index, and what it speaks of."""
        self._documents[name] = body
        document = parsed(body, _digest(name))
        try:
            if "layers" in document:
                config, layers = manifest_parts(document)
                self._sizes[_name(config.digest)] = config.size
                self._sizes |= {_name(layer.digest): layer.size for layer in layers}
                self._begin([layer.digest for layer in layers])
            for i, each in enumerate(document.get("manifests") or ()):
                self._manifests.add(_name(descriptor(each, f"manifests[{i}]").digest))
        except (ValueError, TypeError, AttributeError) as error:
            raise BadArchive(f"{_digest(name)}: {error}") from error

    def _begin(self, digests: list[str]) -> None:
        for digest in dict.fromkeys(digests):
            size = self._sizes[_name(digest)]
            if self._layout.blob(digest).exists():
                self._tell(digest, size, size)
                continue
            hexa, told = digest[7:], partial(self._tell, digest)
            download = Download(self._partial / hexa, self._work / hexa, digest, size, told)
            self._coming[_name(digest)] = download
            self._threads.submit(download.run, self._client)

    def _tell(self, digest: str, done: int, total: int) -> None:
        with self._telling:
            self._told(digest[7:19], done, total)


def _name(digest: str) -> str:
    return digest.replace("sha256:", BLOBS)


def _digest(name: str) -> str:
    return name.replace(BLOBS, "sha256:")
