"""Warnings about pods and pod templates.

In: a pod's spec and metadata, and where they stand (`spec.template.` of a template). Out: texts in the API's words
and order.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from madang.kinds import quantity
from madang.ports.objects import Obj

_NODE_LABELS: Mapping[str, str] = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
_ANNOTATIONS: Mapping[str, str] = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
_VOLUMES: Mapping[str, str] = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
_SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_UNUSED_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
_NO_POD = "a null labelSelector results in matching no pod"


_PLACED = {"nodeSelector", "affinity", "topologySpreadConstraints"}
_DRIVERS = _VOLUMES.keys()


def of(spec: Obj, meta: Obj, at: str = "") -> list[str]:
    """It runs for every pod that is made, so each part is entered only where there is something to look at."""
    found: list[str] = []
    notes = meta.get("annotations")
    if not _PLACED.isdisjoint(spec):
        found += _placement(spec, f"{at}spec")
    if notes:
        found += (f"{at}metadata.annotations[{key}]: {text}" for key, text in _ANNOTATIONS.items() if key in notes)
    if any(not _DRIVERS.isdisjoint(volume) for volume in spec.get("volumes") or ()):
        found += _volumes(spec, f"{at}spec")
    if "hostAliases" in spec:
        found += _twice(spec["hostAliases"], "ip", f"{at}spec.hostAliases", "duplicate ip")
    if "imagePullSecrets" in spec:
        found += _pull_secrets(spec["imagePullSecrets"] or (), f"{at}spec.imagePullSecrets")
    if "overhead" in spec:
        found += _fractions({"overhead": spec["overhead"]}, f"{at}spec")
    if notes:
        found += _seccomp(spec, meta, at)
    ports = 0
    for path, container in _containers(spec, at):
        found += _container(container, path, meta, at)
        ports += len(container.get("ports") or ())
    if ports > 1:
        found += _ports(spec, at)
    found += _grace(spec, at)
    if "affinity" in spec:
        found += _null_selectors(spec, f"{at}spec")
    return found


def _pull_secrets(refs: Sequence[Obj], at: str) -> Iterator[str]:
    yield from _twice(refs, "name", at, "duplicate name")
    for i, ref in enumerate(refs):
        if not ref.get("name"):
            yield f'{at}[{i}].name: invalid empty name ""'


def _notes(meta: Obj) -> Mapping[str, str]:
    found: Mapping[str, str] = meta.get("annotations") or {}
    return found


def _containers(spec: Obj, at: str) -> Iterator[tuple[str, Obj]]:
    for member in ("initContainers", "containers", "ephemeralContainers"):
        for i, container in enumerate(spec.get(member) or ()):
            yield f"{at}spec.{member}[{i}]", container


def _placement(spec: Obj, at: str) -> Iterator[str]:
    for key in spec.get("nodeSelector") or ():
        if key in _NODE_LABELS:
            yield f"{at}.nodeSelector[{key}]: {_NODE_LABELS[key]}"
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    here = f"{at}.affinity.nodeAffinity."
    terms = [
        (f"{here}requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[{i}]", term)
        for i, term in enumerate(required.get("nodeSelectorTerms") or ())
    ] + [
        (f"{here}preferredDuringSchedulingIgnoredDuringExecution[{i}].preference", term.get("preference") or {})
        for i, term in enumerate(affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ())
    ]
    for path, term in terms:
        for i, rule in enumerate(term.get("matchExpressions") or ()):
            if rule.get("key") in _NODE_LABELS:
                yield f"{path}.matchExpressions[{i}].key: {rule['key']} is {_NODE_LABELS[rule['key']]}"
    for i, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        path, key = f"{at}.topologySpreadConstraints[{i}]", constraint.get("topologyKey")
        if key in _NODE_LABELS:
            yield f"{path}.topologyKey: {key} is {_NODE_LABELS[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{path}.labelSelector: {_NO_POD}"


def _volumes(spec: Obj, at: str) -> Iterator[str]:
    for i, volume in enumerate(spec.get("volumes") or ()):
        for name, text in _VOLUMES.items():
            if name in volume:
                spoken = "storageOS" if name == "storageos" else name
                yield f"{at}.volumes[{i}].{spoken}: {text}"


def _twice(items: Any, member: str, at: str, what: str) -> Iterator[str]:
    seen: set[str] = set()
    for i, item in enumerate(items or ()):
        value = item.get(member, "")
        if value in seen:
            yield f'{at}[{i}].{member}: {what} "{value}"'
        seen.add(value)


def _fractions(pools: Mapping[str, Any], at: str) -> Iterator[str]:
    for pool, amounts in pools.items():
        for name, text in (amounts or {}).items():
            if name in ("memory", "ephemeral-storage") and quantity.parse(text).nanos % quantity.NANOS:
                yield f'{at}.{pool}[{name}]: fractional byte value "{text}" is invalid, must be an integer'


def _seccomp(spec: Obj, meta: Obj, at: str) -> Iterator[str]:
    if _SECCOMP in _notes(meta) and not (spec.get("securityContext") or {}).get("seccompProfile"):
        yield f"{at}metadata.annotations[{_SECCOMP}]: {_UNUSED_SECCOMP}"


def _container(container: Obj, path: str, meta: Obj, at: str) -> list[str]:
    found: list[str] = []
    notes = meta.get("annotations")
    if notes:
        key = _SECCOMP_CONTAINER + container.get("name", "")
        if key in notes and not (container.get("securityContext") or {}).get("seccompProfile"):
            found.append(f"{at}metadata.annotations[{key}]: {_UNUSED_SECCOMP}")
    resources = container.get("resources")
    if resources:
        pools = {pool: resources[pool] for pool in ("limits", "requests") if pool in resources}
        found += _fractions(pools, f"{path}.resources")
    env = container.get("env")
    if env and len({variable.get("name", "") for variable in env}) < len(env):
        found += _hidden(env, path)
    return found


def _hidden(env: Sequence[Obj], path: str) -> Iterator[str]:
    seen: set[str] = set()
    for i, variable in enumerate(env):
        name, value = variable.get("name", ""), variable.get("value", "")
        # to add to a value by naming the old one is well; to replace it is not
        reference = f"$({name})"
        if name in seen and (variable.get("valueFrom") or value == reference or reference not in value):
            yield f'{path}.env[{i}]: hides previous definition of "{name}", which may be dropped when using apply'
        seen.add(name)


def _ports(spec: Obj, at: str) -> Iterator[str]:
    known: dict[tuple[Any, Any], list[tuple[str, Obj]]] = {}
    places = [
        (f"{path}.ports[{i}]", port)
        for path, container in _containers(spec, at)
        for i, port in enumerate(container.get("ports") or ())
    ]
    for place, port in places:
        others = known.setdefault((port.get("containerPort"), port.get("protocol")), [])
        for other_place, other in others:
            host, other_host = port.get("hostPort", 0), other.get("hostPort", 0)
            ip, other_ip = port.get("hostIP", ""), other.get("hostIP", "")
            if (host, ip) == (other_host, other_ip):
                yield f"{place}: duplicate port definition with {other_place}"
            elif not host or not other_host:
                yield f"{place}: overlapping port definition with {other_place}"
            elif host == other_host and bool(ip) != bool(other_ip):
                yield f"{place}: dangerously ambiguous port definition with {other_place}"
        others.append((place, port))
    named: dict[str, str] = {}
    for place, port in places:
        name = port.get("name")
        if name in named:
            first = named[name]
            yield (
                f'{place}: duplicate port name "{name}" with {first}, services and probes that select ports by name '
                f"will use {first}"
            )
        elif name:
            named[name] = place


def _grace(spec: Obj, at: str) -> Iterator[str]:
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        why = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{at}spec.terminationGracePeriodSeconds: {why}"


def _null_selectors(spec: Obj, at: str) -> Iterator[str]:
    for side in ("podAffinity", "podAntiAffinity"):
        found = (spec.get("affinity") or {}).get(side) or {}
        member = "requiredDuringSchedulingIgnoredDuringExecution"
        for i, term in enumerate(found.get(member) or ()):
            if term.get("labelSelector") is None:
                yield f"{at}.affinity.{side}.{member}[{i}].labelSelector: {_NO_POD}"
        member = "preferredDuringSchedulingIgnoredDuringExecution"
        for i, weighted in enumerate(found.get(member) or ()):
            if (weighted.get("podAffinityTerm") or {}).get("labelSelector") is None:
                yield f"{at}.affinity.{side}.{member}[{i}].podAffinityTerm.labelSelector: {_NO_POD}"
