"""What a client may ask for: /api, /apis and below, /version, /openapi: constant documents, encoded once.

In: a path that is none of a resource. Out: the document, or the API's 404.
"""

import platform
from functools import cache, lru_cache

import orjson

from madang.api import errors
from madang.kinds import discovery as documents
from madang.kinds import openapi, openapi_v2
from madang.ports.objects import Obj
from madang.wire import answer, negotiate, openapi_protobuf
from madang.wire.answer import Send
from madang.wire.request import Request
from madang.wire.version import GIT_VERSION, MAJOR, MINOR


async def send(request: Request, send: Send, server_address: str) -> None:
    parts = request.path.strip("/").split("/")
    if request.method not in ("GET", "HEAD"):
        raise errors.no_method()
    if parts == ["version"]:
        await answer.send_bytes(send, 200, _version())
        return
    accept = request.headers.get("accept", "")
    if parts == ["openapi", "v2"]:
        packed = any(media in accept for media in openapi_protobuf.ASKED)
        media = openapi_protobuf.MEDIA if packed else "application/json"
        gzipped = "gzip" in request.headers.get("accept-encoding", "")
        await answer.send_bytes(send, 200, _second(packed), media=media, gzipped=gzipped)
        return
    if parts[:2] == ["openapi", "v3"]:
        described = _described(tuple(parts[2:]))
        if described is None:
            raise errors.no_resource()
        gzipped = "gzip" in request.headers.get("accept-encoding", "")
        await answer.send_bytes(send, 200, described, gzipped=gzipped)
        return
    if negotiate.discovery(accept) == "v2" and parts in (["api"], ["apis"]):
        media = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        gzipped = "gzip" in request.headers.get("accept-encoding", "")
        await answer.send_bytes(send, 200, _aggregated(parts[0] == "api"), media=media, gzipped=gzipped)
        return
    found = _document(tuple(parts), server_address)
    if found is None:
        await answer.send_text(send, 404, "404 page not found\n")
        return
    form = negotiate.accepted(accept)
    await answer.send_bytes(send, 200, found, media=form.media)


def knows(group: str) -> bool:
    return not group or documents.group(group) is not None


@lru_cache(256)
def _document(parts: tuple[str, ...], server_address: str) -> bytes | None:
    found: Obj | None = None
    match parts:
        case ("",):
            found = {"paths": _paths()}
        case ("api",):
            found = documents.core_versions(server_address)
        case ("apis",):
            found = documents.group_list()
        case ("api", version):
            found = documents.resource_list("", version)
            if found is None:
                raise errors.no_resource()
        case ("apis", group):
            found = documents.group(group)
        case ("apis", group, version) if knows(group):
            found = documents.resource_list(group, version)
            if found is None:
                raise errors.no_resource()
        case _:
            found = None
    return None if found is None else orjson.dumps(found)


@lru_cache(256)
def _described(parts: tuple[str, ...]) -> bytes | None:
    """/openapi/v3 and, below it, `api/VERSION` or `apis/GROUP/VERSION`."""
    match parts:
        case ():
            return orjson.dumps(openapi.index())
        case ("api", version):
            found = openapi.document("", version)
        case ("apis", group, version):
            found = openapi.document(group, version)
        case _:
            found = None
    return None if found is None else orjson.dumps(found)


@cache
def _second(packed: bool) -> bytes:
    found = openapi_v2.document()
    return openapi_protobuf.document(found) if packed else orjson.dumps(found)


@cache
def _aggregated(core: bool) -> bytes:
    return orjson.dumps(documents.aggregated(core))


def _paths() -> list[str]:
    found = ["/api", "/api/v1", "/apis"]
    for group, versions in documents.groups():
        found += [f"/apis/{group}", *(f"/apis/{group}/{version}" for version in versions)]
    return [*found, "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]


@cache
def _version() -> bytes:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return orjson.dumps(
        {
            "major": MAJOR,
            "minor": MINOR,
            "emulationMajor": MAJOR,
            "emulationMinor": MINOR,
            "gitVersion": GIT_VERSION,
            "gitCommit": "",
            "gitTreeState": "clean",
            "buildDate": "1970-01-01T00:00:00Z",
            "goVersion": "",
            "compiler": "cpython",
            "platform": f"linux/{machine}",
        }
    )
