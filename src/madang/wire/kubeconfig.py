"""The kubeconfig of a courtyard: where its API is, whom to trust, the admin's token.

In: name, server, CA, token, namespace. Out: a document and, by `write`, a file of mode 0600.
"""

import base64
import os
from pathlib import Path
from typing import Any

import yaml


def document(name: str, server: str, ca_pem: str, token: str, namespace: str = "default") -> dict[str, Any]:
    context = f"madang-{name}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": context,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": base64.b64encode(ca_pem.encode()).decode(),
                },
            }
        ],
        "users": [{"name": context, "user": {"token": token}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context, "namespace": namespace}}],
        "current-context": context,
    }


def write(path: Path, config: dict[str, Any]) -> None:
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        yaml.safe_dump(config, file, sort_keys=False)
    fresh.replace(path)


def set_namespace(path: Path, namespace: str) -> None:
    """Makes `namespace` the current one, so that a bare kubectl speaks of the application."""
    config = yaml.safe_load(path.read_text())
    for context in config["contexts"]:
        if context["name"] == config["current-context"]:
            context["context"]["namespace"] = namespace
    write(path, config)


def current_namespace(path: Path) -> str:
    """Where a bare kubectl speaks of; `default` where there is no file yet, or none that can be read: it is written
    anew at every start."""
    try:
        config = yaml.safe_load(path.read_text())
        for context in config["contexts"]:
            if context["name"] == config["current-context"]:
                return str(context["context"].get("namespace") or "default")
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError, AttributeError):
        pass
    return "default"
