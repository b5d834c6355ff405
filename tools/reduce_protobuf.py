"""Reduces the field numbers of Kubernetes' protobuf encoding to the messages that the API reads.

In: a JSON file `message -> field -> [number, one|repeated|map, type...]`, taken from the published generated.proto
files. Out: `src/madang/wire/protobuf.json`: message -> [[number, name, how, type...], ...], reachable ones only.

    python tools/reduce_protobuf.py fields.json
"""

import json
import sys
from pathlib import Path
from typing import Any

API, META = "k8s.io.api", "k8s.io.apimachinery.pkg.apis.meta.v1"
ROOTS = {
    "core.v1": "Namespace Node Pod PodTemplate ReplicationController Service ConfigMap Secret Event ServiceAccount "
    "Binding PersistentVolume PersistentVolumeClaim",
    "apps.v1": "Deployment ReplicaSet",
    "batch.v1": "Job",
    "autoscaling.v1": "HorizontalPodAutoscaler Scale",
    "autoscaling.v2": "HorizontalPodAutoscaler",
    "coordination.v1": "Lease",
    "discovery.v1": "EndpointSlice",
    "events.v1": "Event",
    "node.v1": "RuntimeClass",
    "scheduling.v1": "PriorityClass",
    "storage.v1": "StorageClass",
    "policy.v1": "Eviction",
    "authentication.v1": "TokenRequest TokenReview SelfSubjectReview",
    "authorization.v1": "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview LocalSubjectAccessReview",
}
MORE = (f"{META}.DeleteOptions", "k8s.io.apimachinery.pkg.runtime.Unknown")
OUT = Path(__file__).parent.parent / "src/madang/wire/protobuf.json"


def main(source: str) -> None:
    known: dict[str, dict[str, list[Any]]] = json.loads(Path(source).read_text())
    waiting = [f"{API}.{group}.{kind}" for group, kinds in ROOTS.items() for kind in kinds.split()] + list(MORE)
    kept: dict[str, list[list[Any]]] = {}
    while waiting:
        name = waiting.pop()
        if name in kept or name not in known:
            continue
        kept[name] = sorted([field[0], key, *field[1:]] for key, field in known[name].items())
        waiting += [kind for field in known[name].values() for kind in field[2:] if "." in kind]
    OUT.write_text(json.dumps(dict(sorted(kept.items())), separators=(",", ":")) + "\n")
    print(f"{len(kept)} messages, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
