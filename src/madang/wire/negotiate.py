"""What form a client wants, and in what form it speaks.

In: Accept and Content-Type. Out: a `Form`; a form that nothing here makes is the API's 406, a body that nothing here
reads its 415. Protobuf is read but not spoken: clients that send it accept JSON too.
"""

from functools import lru_cache
from typing import Literal, NamedTuple

from madang.ports.errors import StatusError

Shape = Literal["", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"]


class Form(NamedTuple):
    media: str = "application/json"
    shape: Shape = ""
    version: str = "v1"  # of meta.k8s.io

    @property
    def yaml(self) -> bool:
        return self.media == "application/yaml"


JSON = Form()
_SHAPES = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
_ACCEPTED = (
    "application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, "
    "application/vnd.kubernetes.protobuf;stream=watch"
)
PROTOBUF = "application/vnd.kubernetes.protobuf"
READ = ("application/json", "application/yaml")
_READABLE = "application/json, application/yaml, application/vnd.kubernetes.protobuf"


@lru_cache(512)
def accepted(header: str) -> Form:
    if not header:
        return JSON
    for part in header.split(","):
        form = _form(part)
        if form is not None:
            return form
    raise StatusError(
        f"406: Not Acceptable\n\nAvailable representations: {_ACCEPTED}", code=406, reason="NotAcceptable", details={}
    )


def _form(part: str) -> Form | None:
    media, *rest = (piece.strip() for piece in part.split(";"))
    parameters = dict(piece.split("=", 1) for piece in rest if "=" in piece)
    if media in ("*/*", "application/*"):
        media = "application/json"
    if media not in READ:
        return None
    shape = parameters.get("as", "")
    if not shape:
        return Form(media)
    if shape in _SHAPES and parameters.get("g") == "meta.k8s.io" and parameters.get("v") in ("v1", "v1beta1"):
        return Form(media, shape, parameters["v"])  # type: ignore[arg-type]
    return None


def discovery(header: str) -> str:
    """The version of the aggregated form that the client prefers to the plain one (empty: the plain one)."""
    for part in header.split(","):
        if "as=APIGroupDiscoveryList" in part and "v=v2" in part and "v=v2beta1" not in part:
            return "v2"
        if part.strip().split(";")[0] in ("application/json", "*/*") and "as=" not in part:
            return ""
    return ""


def body_media(header: str) -> str:
    """The media type of a body; nothing said means JSON."""
    media = header.split(";")[0].strip().lower()
    if not media:
        return "application/json"
    if media not in (*READ, PROTOBUF):
        raise unreadable(_READABLE)
    return media


def unreadable(readable: str) -> StatusError:
    return StatusError(
        f"the body of the request was in an unknown format - accepted media types include: {readable}",
        code=415,
        reason="UnsupportedMediaType",
    )


def patch_style(header: str) -> str:
    """merge, json, strategic or apply."""
    media = header.split(";")[0].strip().lower()
    style = _PATCHES.get(media)
    if style is None:
        raise StatusError("415: Unsupported Media Type", code=415, reason="UnsupportedMediaType", details={})
    return style


_PATCHES = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}
