"""YAML bodies as the API server reads them: YAML 1.1 as Go's reader resolves it, made JSON.

In: bytes. Out: decoded JSON values. `y` and `n` are booleans, times stay text, every key becomes text (the key `y`
is "true": recorded from a real server).
"""

import re
from typing import Any

import yaml

from madang.ports.errors import BadRequest

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"^[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[1-9][0-9_]*|0)$")
_BOOL = re.compile(r"^(y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$")
_TRUE = frozenset({"y", "yes", "true", "on"})


class _Loader(_Base):  # type: ignore[misc]
    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [
            (tag, pattern)
            for tag, pattern in rules
            if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:int")
        ]
        for first, rules in _Base.yaml_implicit_resolvers.items()
    }


def _boolean(loader: Any, node: Any) -> bool:
    return loader.construct_scalar(node).lower() in _TRUE


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _BOOL, list("yYnNtTfFoO"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
_Loader.add_constructor("tag:yaml.org,2002:bool", _boolean)


def read(body: bytes) -> object:
    try:
        return _json(yaml.load(body, Loader=_Loader))
    except yaml.YAMLError as fault:
        raise BadRequest(f"error converting YAML to JSON: {fault}") from fault


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {_key(k): _json(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    return value


def _key(key: object) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if key is None:
        return "null"
    return str(key)
