"""As whom a pod's images are pulled: what its imagePullSecrets hold.

In: the pod (a ServiceAccount's secrets were written into it at admission), a way to look a Secret up. Out: one document
like docker's config.json, the first secret's word counting, and the names of secrets that cannot be used. Pure.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from madang.ports.objects import Obj

TODAY, LEGACY = ".dockerconfigjson", ".dockercfg"
KEYS: Mapping[str, str] = {"kubernetes.io/dockerconfigjson": TODAY, "kubernetes.io/dockercfg": LEGACY}


@dataclass(frozen=True, slots=True)
class Credentials:
    """`config` is None where the pod names none: the user's own are used then."""

    config: Mapping[str, Any] | None = None
    unusable: tuple[str, ...] = field(default=())

    @property
    def key(self) -> str:
        """Equal where they are the same."""
        return json.dumps(self.config, sort_keys=True)


def credentials(pod: Obj, secret: Callable[[str], Obj | None]) -> Credentials:
    auths: dict[str, Any] = {}
    unusable = []
    for name in (ref.get("name", "") for ref in pod["spec"].get("imagePullSecrets") or ()):
        found = secret(name) if name else None
        held = _auths(found) if found is not None else None
        if held is None:
            unusable.append(name)
            continue
        for registry, who in held.items():
            auths.setdefault(registry, who)
    return Credentials({"auths": auths} if auths else None, tuple(unusable))


def _auths(secret: Obj) -> Mapping[str, Any] | None:
    """None where it is no secret of this kind, or holds nothing readable."""
    key = KEYS.get(secret.get("type") or "")
    body = (secret.get("data") or {}).get(key) if key else None
    if body is None:
        return None
    try:
        document = json.loads(base64.b64decode(body))
    except (ValueError, RecursionError):
        return None
    if key == TODAY and isinstance(document, dict):
        document = document.get("auths", {})
    return document if isinstance(document, dict) else None


def unusable(names: tuple[str, ...]) -> str:
    """The text of the event."""
    listed = ", ".join(names)
    return f"Unable to retrieve some image pull secrets ({listed}); attempting to pull the image may not succeed."
