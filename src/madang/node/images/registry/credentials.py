"""Who we are to a registry: what `docker login` wrote down, or what its helper programs keep.

In: the document of ~/.docker/config.json (`DOCKER_CONFIG` names another folder) and the name of an image. Out: a
`Login`, or None. As docker does, a helper for the registry comes before the common one, and both before `auths`; a key
of `auths` may also name a path, and the longest that fits counts.
"""

import base64
import json
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from madang.node.images.reference import HUB, Reference

HUB_KEY = "https://index.docker.io/v1/"
_HUB_NAMES = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HELPER_S = 30
TOKEN_USER = "<token>"  # a helper's word for: the secret is an identity token

Helper = Callable[[str, str], bytes | None]  # (name, registry) -> its JSON


class BadCredentials(Exception):
    """What was found cannot be used; the message says where."""


@dataclass(frozen=True, slots=True)
class Login:
    user: str
    password: str = field(repr=False)
    identity_token: str = field(default="", repr=False)


def config_path(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("DOCKER_CONFIG") or Path(environment.get("HOME", "/")) / ".docker") / "config.json"


def read_config(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadCredentials(f"{path}: {error}") from error
    if not isinstance(found, dict):
        raise BadCredentials(f"{path}: expected an object")
    return found


def ask_helper(name: str, registry: str) -> bytes | None:
    """None where it knows nothing of this registry."""
    program = f"docker-credential-{name}"
    try:
        done = subprocess.run(
            [program, "get"], input=registry.encode(), capture_output=True, timeout=_HELPER_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadCredentials(f"{program}: {error}") from error
    if done.returncode == 0:
        return done.stdout
    said = (done.stdout or done.stderr).decode(errors="replace").strip()
    if "not found" in said:
        return None
    raise BadCredentials(f"{program}: {said[:200] or f'status {done.returncode}'}")


def login(config: Mapping[str, Any], image: Reference, helper: Helper = ask_helper) -> Login | None:
    key = HUB_KEY if image.domain == HUB else image.domain
    helpers = config.get("credHelpers")
    chosen = helpers.get(key) or helpers.get(image.domain) if isinstance(helpers, dict) else None
    for name in (chosen, config.get("credsStore")):
        if not name:
            continue
        if not isinstance(name, str) or not _HELPER.fullmatch(name):
            raise BadCredentials(f"credentials: {name!r} is no name of a helper (docker-credential-NAME)")
        if (body := helper(name, key)) is not None:
            return _from_helper(name, body)
    auths = config.get("auths")
    fitting = [(k, v) for k, v in auths.items() if _fits(k, image)] if isinstance(auths, dict) else []
    for where, value in sorted(fitting, key=lambda f: -len(_place(f[0]))):
        if found := _from_auth(where, value):
            return found
    return None


def _place(key: str) -> str:
    """`host/path` of a key, however it is written."""
    place = key.partition("://")[2] if "://" in key else key
    place = re.sub(r"/v[12]/?$", "", place).rstrip("/")
    host, slash, path = place.partition("/")
    return f"{HUB if host in _HUB_NAMES else host}{slash}{path}"


def _fits(key: str, image: Reference) -> bool:
    return f"{image.name}/".startswith(f"{_place(key)}/")


def _from_helper(name: str, body: bytes) -> Login:
    try:
        said = json.loads(body)
        user, secret = said["Username"], said["Secret"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadCredentials(f"docker-credential-{name}: expected Username and Secret as JSON") from error
    return Login("", "", str(secret)) if user == TOKEN_USER else Login(str(user), str(secret))


def _from_auth(key: str, value: Any) -> Login | None:
    if not isinstance(value, dict):
        return None
    if token := value.get("identitytoken"):
        return Login("", "", str(token))
    if value.get("username") and value.get("password"):
        return Login(str(value["username"]), str(value["password"]))
    if not value.get("auth"):
        return None
    try:
        user, colon, password = base64.b64decode(str(value["auth"]), validate=True).decode().partition(":")
    except ValueError:
        colon = ""
    if not colon:
        raise BadCredentials(f'credentials: auths["{key}"].auth: expected base64 of USER:PASSWORD')
    return Login(user, password.rstrip("\0"))
