"""Makes `src/madang/kinds/schemas.json`: the shapes of Madang's kinds, and nothing else.

In: the published schemas of Kubernetes v1.36 (the development dependency `kubernetes-validate`, Apache-2.0), the
facts that only the Go declarations tell (`tools/go_types.py`), the Gateway API's schemas (`tools/gateway_schemas.py`).
Out: one compact file of definitions (`kinds/schema.py` reads it), and the descriptions of the fields that printed
columns show, since those are part of the API's Table. Run `python tools/reduce_schemas.py` after a change
here; a test compares the file with what this makes.
"""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TARGET = HERE.parent / "src" / "madang" / "kinds" / "schemas.json"
DESCRIPTIONS = TARGET.parent / "columns" / "descriptions.json"
EDITION = "v1.36.0-local"
Shape = dict[str, Any]

# (group, version, kind) -> definition; what the API reads or writes as a whole
KINDS = {
    **{f"/v1/{k}": f"core.v1.{k}" for k in (
        "Namespace", "Node", "Pod", "PodTemplate", "Service", "Endpoints", "ConfigMap", "Secret", "Event",
        "ServiceAccount", "Binding", "ReplicationController",
        "PersistentVolume", "PersistentVolumeClaim",
    )},
    **{f"apps/v1/{k}": f"apps.v1.{k}" for k in ("Deployment", "ReplicaSet")},
    "batch/v1/Job": "batch.v1.Job",
    **{f"autoscaling/{v}/HorizontalPodAutoscaler": f"autoscaling.{v}.HorizontalPodAutoscaler" for v in ("v1", "v2")},
    "autoscaling/v1/Scale": "autoscaling.v1.Scale",
    "discovery.k8s.io/v1/EndpointSlice": "discovery.v1.EndpointSlice",
    "events.k8s.io/v1/Event": "events.v1.Event",
    "coordination.k8s.io/v1/Lease": "coordination.v1.Lease",
    "node.k8s.io/v1/RuntimeClass": "node.v1.RuntimeClass",
    "scheduling.k8s.io/v1/PriorityClass": "scheduling.v1.PriorityClass",
    "storage.k8s.io/v1/StorageClass": "storage.v1.StorageClass",
    "policy/v1/Eviction": "policy.v1.Eviction",
    "authentication.k8s.io/v1/TokenRequest": "authentication.v1.TokenRequest",
    **{f"authentication.k8s.io/v1/{k}": f"authentication.v1.{k}" for k in ("SelfSubjectReview", "TokenReview")},
    **{f"authorization.k8s.io/v1/{k}": f"authorization.v1.{k}" for k in (
        "LocalSubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview",
    )},
    "meta.k8s.io/v1/DeleteOptions": "meta.v1.DeleteOptions",
}  # fmt: skip
# fields whose description is a printed column's
COLUMNS = {
    "autoscaling.v1.ScaleSpec": ("replicas",),
    "autoscaling.v1.ScaleStatus": ("replicas",),
    "meta.v1.ObjectMeta": ("name", "creationTimestamp"),
    "core.v1.PodStatus": ("podIP", "nominatedNodeName"),
    "core.v1.PodSpec": ("nodeName", "readinessGates"),
    "core.v1.ServiceSpec": ("type", "clusterIP", "externalIPs", "ports", "selector"),
    "core.v1.NodeSystemInfo": ("kubeletVersion", "osImage", "kernelVersion", "containerRuntimeVersion"),
    "core.v1.NodeStatus": ("addresses",),
    "core.v1.Endpoints": ("subsets",),
    "core.v1.Event": (
        "lastTimestamp",
        "type",
        "reason",
        "involvedObject",
        "source",
        "message",
        "firstTimestamp",
        "count",
    ),
    "core.v1.ObjectReference": ("fieldPath",),
    "core.v1.ReplicationControllerSpec": ("replicas", "selector"),
    "core.v1.ReplicationControllerStatus": ("replicas", "readyReplicas"),
    "core.v1.Secret": ("type", "data"),
    "core.v1.ConfigMap": ("data",),
    "apps.v1.DeploymentStatus": ("updatedReplicas", "availableReplicas"),
    "apps.v1.DeploymentSpec": ("selector",),
    "apps.v1.ReplicaSetSpec": ("replicas", "selector"),
    "apps.v1.ReplicaSetStatus": ("replicas", "readyReplicas"),
    "batch.v1.JobStatus": ("succeeded",),
    "batch.v1.JobSpec": ("selector",),
    "autoscaling.v2.HorizontalPodAutoscalerSpec": ("scaleTargetRef", "metrics", "minReplicas", "maxReplicas"),
    "autoscaling.v2.HorizontalPodAutoscalerStatus": ("currentReplicas",),
    "discovery.v1.EndpointSlice": ("addressType", "endpoints", "ports"),
    "coordination.v1.LeaseSpec": ("holderIdentity",),
    "node.v1.RuntimeClass": ("handler",),
    "scheduling.v1.PriorityClass": ("value", "globalDefault", "preemptionPolicy"),
    "core.v1.PersistentVolumeSpec": (
        "capacity",
        "accessModes",
        "persistentVolumeReclaimPolicy",
        "claimRef",
        "volumeMode",
    ),
    "core.v1.PersistentVolumeStatus": ("phase", "reason"),
    "core.v1.PersistentVolumeClaimSpec": ("volumeName", "volumeMode"),
    "core.v1.PersistentVolumeClaimStatus": ("phase", "capacity", "accessModes"),
    "storage.v1.StorageClass": ("provisioner", "reclaimPolicy", "volumeBindingMode", "allowVolumeExpansion"),
}
METRICS = {
    kind: {"type": "object", "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"},
        "metadata": {"$ref": "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
        "timestamp": {"$ref": "io.k8s.apimachinery.pkg.apis.meta.v1.Time"}, "window": {"type": "string"}, **own,
    }}
    for kind, own in {
        "NodeMetrics": {"usage": {"type": "object", "additionalProperties": {"$ref": "Quantity"}}},
        "PodMetrics": {"containers": {"type": "array", "items": {"$ref": "io.k8s.metrics.v1beta1.ContainerMetrics"}}},
    }.items()
} | {
    "ContainerMetrics": {"type": "object", "properties": {
        "name": {"type": "string"}, "usage": {"type": "object", "additionalProperties": {"$ref": "Quantity"}},
    }},
}  # fmt: skip
SCALARS = {
    "Quantity": "quantity", "IntOrString": "int-or-string", "Time": "time", "MicroTime": "microtime",
    "FieldsV1": "any", "RawExtension": "any",
}  # fmt: skip
PLAIN_GO = {"string": "string", "boolean": "bool", "int32": "int32", "int64": "int64", "bytes": "[]uint8",
            "double": "float64", "quantity": "resource.Quantity", "time": "v1.Time", "microtime": "v1.MicroTime",
            "int-or-string": "intstr.IntOrString", "any": ""}  # fmt: skip
# a list's keys may be left out where they have a default
KEY_DEFAULTS = {("core.v1.ContainerPort", "protocol"): "TCP", ("core.v1.ServicePort", "protocol"): "TCP"}
RULES = ("minLength", "maxLength", "pattern", "minimum", "maximum", "minItems", "maxItems", "minProperties",
         "maxProperties")  # fmt: skip


def short(name: str) -> str:
    """`io.k8s.api.core.v1.Pod` -> `core.v1.Pod`."""
    return ".".join(name.rsplit("/", 1)[-1].rsplit(".", 3)[1:])


def scalar(schema: Shape) -> str | None:
    """The name of a leaf's type, None for what has an inside."""
    if "$ref" in schema:
        return SCALARS.get(schema["$ref"].rsplit(".", 1)[-1].rsplit("/", 1)[-1])
    if schema.get("x-kubernetes-int-or-string"):
        return "int-or-string"
    kinds = schema.get("type", "any")
    kind = next(k for k in kinds if k != "null") if isinstance(kinds, list) else kinds
    if kind == "object" and not schema.get("properties") and "additionalProperties" not in schema:
        return "any"
    form = schema.get("format", "")
    if kind in ("string", "boolean", "integer", "number", "any"):
        named = {"byte": "bytes", "date-time": "time", "int32": "int32", "double": "double"}.get(form)
        return named or {"integer": "int64", "number": "double"}.get(kind, kind)
    return None


def field(schema: Shape, go: str, known: dict[str, Shape], builtin: bool = True) -> str | Shape:
    """One place of a schema; a bare string where there is nothing to say but its type."""
    out: Shape = {}
    bare = go.strip("*!")
    if (leaf := scalar(schema)) is not None:
        out["t"] = leaf
        if bare != PLAIN_GO.get(leaf, "") and bare:
            out["g"] = bare
    elif "$ref" in schema:
        out["r"] = short(schema["$ref"])
        known.setdefault(out["r"], {})
    elif "array" in schema["type"]:
        out |= {"t": "array", "i": field(schema["items"], bare.removeprefix("[]"), known, builtin), "g": bare}
    elif "additionalProperties" in schema:
        value = re.sub(r"^map\[[^]]*\]", "", bare) if bare.startswith("map[") else ""
        out |= {"t": "map", "i": field(schema["additionalProperties"], value, known, builtin), "g": bare}
    else:
        out |= inside(schema, {}, known, builtin)
    if go.startswith("*"):
        out["p"] = 1
    if go.endswith("!"):
        out["k"] = 1
    out |= marks(schema)
    out = {k: v for k, v in out.items() if (k, v) != ("g", "")}
    return out["t"] if out.keys() == {"t"} else out


def marks(schema: Shape) -> Shape:
    """What server-side apply and strategic merge must know, and a custom resource's own rules."""
    found = {
        "l": schema.get("x-kubernetes-list-type"),
        "lk": schema.get("x-kubernetes-list-map-keys"),
        "mk": schema.get("x-kubernetes-patch-merge-key"),
        "ps": schema["x-kubernetes-patch-strategy"].split(",") if "x-kubernetes-patch-strategy" in schema else None,
        "m": schema.get("x-kubernetes-map-type"),
        "d": schema.get("default"),
        "v": {rule: schema[rule] for rule in RULES if rule in schema},
    }
    if any("type" in schema and isinstance(value, str) for value in schema.get("enum", ())):
        found["e"] = schema["enum"]
    return {key: value for key, value in found.items() if value not in (None, {}, "atomic" if key == "l" else None)}


def inside(schema: Shape, go: dict[str, str], known: dict[str, Shape], builtin: bool = True) -> Shape:
    """An object's own fields."""
    fields = {}
    for name, child in sorted(schema.get("properties", {}).items()):
        if builtin and name in ("apiVersion", "kind"):
            child = {k: v for k, v in child.items() if k != "enum"}
        fields[name] = field(child, go.get(name, ""), known, builtin)
    out: Shape = {"t": "object", "f": fields}
    if schema.get("required"):
        out["q"] = schema["required"]
    return out | {k: v for k, v in marks(schema).items() if k == "m"}


def published_definitions() -> Shape:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / EDITION
    found: Shape = json.loads((folder / "_definitions.json").read_text())["$defs"]
    return found


def described() -> dict[str, str]:
    """`core.v1.PodStatus.podIP` -> its description."""
    definitions = {short(name): schema for name, schema in published_definitions().items()}
    return {
        f"{name}.{member}": definitions[name]["properties"][member].get("description", "")
        for name, members in COLUMNS.items()
        for member in members
    }


def reduce() -> Shape:
    published = published_definitions()
    definitions = {short(name): schema for name, schema in published.items() if name.startswith("io.k8s.api")}
    definitions |= {f"metrics.v1beta1.{name}": schema for name, schema in METRICS.items()}
    go = json.loads((HERE / "sources" / "go_types.json").read_text())
    gateway = json.loads((HERE / "sources" / "gateway_api.json").read_text())
    kinds = KINDS | {f"metrics.k8s.io/v1beta1/{k}": f"metrics.v1beta1.{k}" for k in ("NodeMetrics", "PodMetrics")}
    known: dict[str, Shape] = {name: {} for name in kinds.values()} | {"meta.v1.ObjectMeta": {}}
    while todo := [name for name, shape in known.items() if not shape]:
        for name in todo:
            known[name] = inside(definitions[name], go.get(name, {}), known)
    for (name, key), default in KEY_DEFAULTS.items():
        known[name]["f"][key]["d"] = default
    for kind, schema in gateway.items():
        name = f"gateway.v1.{kind}"
        kinds[f"gateway.networking.k8s.io/v1/{kind}"] = name
        known[name] = inside(schema, {}, known, builtin=False)
        known[name]["f"] |= {"metadata": {"r": "meta.v1.ObjectMeta", "k": 1}}
        known[name]["c"] = 1
    return {"kinds": dict(sorted(kinds.items())), "definitions": dict(sorted(known.items()))}


def text(reduced: Shape) -> str:
    def compact(value: object) -> str:
        return json.dumps(value, separators=(",", ":"), sort_keys=True)

    rows = ",\n".join(f"{json.dumps(name)}:{compact(shape)}" for name, shape in reduced["definitions"].items())
    return f'{{"kinds":{compact(reduced["kinds"])},\n"definitions":{{\n{rows}\n}}}}\n'


if __name__ == "__main__":
    TARGET.write_text(text(reduce()))
    DESCRIPTIONS.write_text(json.dumps(described(), indent=1, sort_keys=True) + "\n")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")
