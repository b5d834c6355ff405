"""Takes the schemas of our Gateway API kinds out of the project's published CustomResourceDefinitions.

In: the unpacked Go module `sigs.k8s.io/gateway-api` (proxy.golang.org, Apache-2.0) under one folder:
`python tools/gateway_schemas.py FOLDER`. Out: `tools/sources/gateway_api.json`, kind -> OpenAPI schema of v1 without
descriptions and without rules in CEL.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

RELEASE = "v1.4.0"
CRDS = f"sigs.k8s.io/gateway-api@{RELEASE}/config/crd/standard/gateway.networking.k8s.io_{{}}.yaml"
PLURALS = ("gatewayclasses", "gateways", "httproutes")
TARGET = Path(__file__).parent / "sources" / "gateway_api.json"


def strip(schema: Any, names: bool = False) -> Any:
    """Without descriptions and CEL; `names` where the keys are names of properties."""
    if isinstance(schema, list):
        return [strip(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: strip(value, names=key == "properties" and not names)
        for key, value in schema.items()
        if names or key not in ("description", "x-kubernetes-validations")
    }


def read(folder: Path) -> dict[str, Any]:
    out = {}
    for plural in PLURALS:
        crd = yaml.safe_load((folder / CRDS.format(plural)).read_text())
        version = next(v for v in crd["spec"]["versions"] if v["name"] == "v1")
        out[crd["spec"]["names"]["kind"]] = strip(version["schema"]["openAPIV3Schema"])
    return out


if __name__ == "__main__":
    TARGET.write_text(json.dumps(read(Path(sys.argv[1])), separators=(",", ":"), sort_keys=True) + "\n")
    print(TARGET)
