"""Reads what only the Go declarations of the Kubernetes API say, and keeps it in `tools/sources/go_types.json`.

In: unpacked Go modules `k8s.io/api`, `k8s.io/apimachinery` and `k8s.io/metrics` (proxy.golang.org, Apache-2.0) under
one folder: `python tools/go_types.py FOLDER`. Out: struct -> JSON field -> Go type, `*` before it where it is a
pointer, `!` behind it where the encoder always writes the field (no omitempty, or a struct by value). The published
schemas do not tell these facts, and messages ("cannot unmarshal number into Go struct field ... of type v1.Protocol")
and the exact form of answers ("resources": {}) need them.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

RELEASE = "v0.36.0"
PACKAGES = {
    **{
        group: f"k8s.io/api@{RELEASE}/{group.replace('.', '/')}"
        for group in (
            "core.v1", "apps.v1", "batch.v1", "autoscaling.v1", "autoscaling.v2", "discovery.v1", "events.v1",
            "coordination.v1", "node.v1", "scheduling.v1", "storage.v1", "policy.v1", "authentication.v1",
            "authorization.v1",
        )
    },
    "meta.v1": f"k8s.io/apimachinery@{RELEASE}/pkg/apis/meta/v1",
    "metrics.v1beta1": f"k8s.io/metrics@{RELEASE}/pkg/apis/metrics/v1beta1",
}  # fmt: skip
ALIASES = {"metav1": "meta.v1", "corev1": "core.v1", "v1": "core.v1"}
FOREIGN_STRUCTS = {"resource.Quantity", "intstr.IntOrString", "runtime.RawExtension"}
MAPS = {"core.v1.ResourceList"}
TARGET = Path(__file__).parent / "sources" / "go_types.json"

STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
MEMBER = re.compile(r'^\t(?:(\w+)\s+)?(\S+)\s+`[^`]*json:"([^"]*)"')


def members(body: str) -> Iterator[tuple[str, list[str]]]:
    """(Go type, parts of the json tag) of each member; an embedded one has the tag `,inline`."""
    for line in body.splitlines():
        if match := MEMBER.match(line):
            yield match[2], match[3].split(",")


def read(folder: Path) -> dict[str, dict[str, str]]:
    bodies = {
        f"{package}.{name}": body
        for package, path in PACKAGES.items()
        for source in sorted((folder / path).glob("*.go"))
        if not source.name.startswith("zz_") and not source.name.endswith(("_test.go", ".pb.go"))
        for name, body in STRUCT.findall(source.read_text())
    }
    return {name: fields for name in sorted(bodies) if (fields := declared(name, bodies))}


def declared(name: str, bodies: dict[str, str]) -> dict[str, str]:
    package = name.rsplit(".", 1)[0]
    out: dict[str, str] = {}
    for go_type, (field, *options) in members(bodies[name]):
        full = resolve(go_type.lstrip("*"), package)
        if "inline" in options:
            out |= declared(full, bodies) if full in bodies else {}
        elif field not in ("", "-"):
            by_value = not go_type.startswith("*") and (full in bodies or full in FOREIGN_STRUCTS)
            always = "omitzero" not in options and ("omitempty" not in options or by_value)
            pointer = "*" if go_type.startswith("*") else ""
            out[field] = pointer + spoken(go_type.lstrip("*"), package) + ("!" if always else "")
    return out


def resolve(go_type: str, package: str) -> str:
    """The full name of a type as it is written in `package`."""
    if "." not in go_type:
        return f"{package}.{go_type}"
    prefix, name = go_type.rsplit(".", 1)
    return f"{ALIASES[prefix]}.{name}" if prefix in ALIASES else go_type


def spoken(go_type: str, package: str) -> str:
    """The type as Go's reflection prints it: the last part of the package's path before the name."""
    if match := re.fullmatch(r"(\[\]|map\[\w+(?:\.\w+)?\])(\*?)(.+)", go_type):
        prefix = re.sub(r"\[(\w[\w.]*)\]", lambda m: f"[{spoken(m[1], package)}]", match[1])
        return prefix + match[2] + spoken(match[3], package)
    if re.fullmatch(r"string|bool|byte|u?int\d*|float\d+", go_type):
        return go_type.replace("byte", "uint8")
    prefix, name = resolve(go_type, package).rsplit(".", 1)
    return f"{prefix.rsplit('.', 1)[-1]}.{name}"


if __name__ == "__main__":
    facts = read(Path(sys.argv[1]))
    rows = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in facts.items())
    TARGET.write_text("{\n" + rows + "\n}\n")
    print(f"{TARGET}: {len(facts)} structs")
