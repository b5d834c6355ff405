"""What is taken in and yet unwise: the texts of the API's Warning headers, beyond those of decoding.

In: the new object, and the old one (None on create). Out: texts, in the API's order; on an update only what is new.
"""

from collections.abc import Callable, Mapping
from typing import Any

from madang.kinds.checks.meta import PLAIN_FINALIZERS
from madang.kinds.checks.resources import amount
from madang.kinds.names import dns_label
from madang.kinds.quantity import NANOS
from madang.ports.objects import Kind, Obj

# Annotations that stopped working, by name; then by prefix.
_DEAD = {
    "seccomp.security.alpha.kubernetes.io/pod": 'non-functional in v1.27+; use the "seccompProfile" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
_DEAD_PREFIXES = {
    "container.seccomp.security.alpha.kubernetes.io/": (
        'non-functional in v1.27+; use the "seccompProfile" field instead'
    ),
    "container.apparmor.security.beta.kubernetes.io/": (
        'deprecated since v1.30; use the "appArmorProfile" field instead'
    ),
}
_OLD_LABELS = {
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
}
_SINCE = {"beta.kubernetes.io/arch": "v1.14", "beta.kubernetes.io/os": "v1.14"}


def warnings(kind: Kind, new: Obj, old: Obj | None = None) -> list[str]:
    """Of any kind."""
    out = _finalizers(new) if old is None or _spoken_of(new) != _spoken_of(old) else []
    speak = _BY_KIND.get(kind)
    if speak is None:
        return out
    before = set(speak(old)) if old is not None else set()
    return out + [w for w in speak(new) if w not in before]


def _spoken_of(obj: Obj) -> Any:
    return (obj.get("metadata") or {}).get("finalizers")


def _finalizers(obj: Obj) -> list[str]:
    return [
        f'metadata.finalizers: "{name}": prefer a domain-qualified finalizer name including a path (/) to avoid '
        "accidental conflicts with other finalizer writers"
        for name in _spoken_of(obj) or ()
        if name.count("/") == 0 and name not in PLAIN_FINALIZERS
    ]


def _pod(obj: Obj) -> list[str]:
    meta = obj.get("metadata") or {}
    out = _template(meta, obj.get("spec") or {}, "")
    if (name := meta.get("name")) and (faults := dns_label(name)):
        told = " ".join(faults)
        out.append(
            "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; "
            f"a DNS label is recommended: [{told}]"
        )
    return out


def _workload(obj: Obj) -> list[str]:
    template = (obj.get("spec") or {}).get("template") or {}
    return _template(template.get("metadata") or {}, template.get("spec") or {}, "spec.template.")


def _template(meta: Obj, spec: Obj, path: str) -> list[str]:
    out: list[str] = []
    for key in spec.get("nodeSelector") or ():
        if key in _OLD_LABELS:
            since = _SINCE.get(key, "v1.17")
            out.append(f'{path}spec.nodeSelector[{key}]: deprecated since {since}; use "{_OLD_LABELS[key]}" instead')
    for key in sorted(meta.get("annotations") or ()):
        words = _DEAD.get(key) or next((w for p, w in _DEAD_PREFIXES.items() if key.startswith(p)), None)
        if words:
            out.append(f"{path}metadata.annotations[{key}]: {words}")
    for field in ("initContainers", "containers"):
        for i, container in enumerate(spec.get(field) or ()):
            out += _container(container, f"{path}spec.{field}[{i}]")
    return out


def _container(container: Obj, path: str) -> list[str]:
    out: list[str] = []
    names: set[str] = set()
    for i, variable in enumerate(container.get("env") or ()):
        name = variable.get("name", "")
        if name in names:
            words = "which may be dropped when using apply"
            out.append(f'{path}.env[{i}]: hides previous definition of "{name}", {words}')
        names.add(name)
    seen: dict[Any, int] = {}
    for i, port in enumerate(container.get("ports") or ()):
        key = (port.get("containerPort"), port.get("hostPort"), port.get("hostIP"), port.get("protocol"))
        if key in seen:
            out.append(f"{path}.ports[{i}]: duplicate port definition with {path}.ports[{seen[key]}]")
        seen.setdefault(key, i)
    for field in ("limits", "requests"):
        for name, text in ((container.get("resources") or {}).get(field) or {}).items():
            if name in ("memory", "ephemeral-storage") and amount(text).nanos % NANOS:
                here = f"{path}.resources.{field}[{name}]"
                out.append(f'{here}: fractional byte value "{text}" is invalid, must be an integer')
    return out


_BY_KIND: Mapping[Kind, Callable[[Obj], list[str]]] = {
    "pods": _pod,
    "deployments.apps": _workload,
    "replicasets.apps": _workload,
    "jobs.batch": _workload,
}
