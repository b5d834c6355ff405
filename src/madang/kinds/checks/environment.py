"""Environment variables, and what of the pod and its container they may show.

In: `env` and `envFrom` lists with their path; downward references wherever they stand. Out: causes.
"""

import re
from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import each, invalid, required, unsupported
from madang.kinds.names import config_key, dns_subdomain, env_name, qualified_name
from madang.kinds.quantity import canonical

# Fields that can be named at all, and those that a variable or a file may show.
FIELD_LABELS = frozenset({
    "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid",
    "spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "spec.schedulerName", "status.phase",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs", "spec.host",
})  # fmt: skip
ENV_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
FILE_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
RESOURCES = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory",
    "requests.cpu", "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_MEMORY_DIVISORS = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")


def check_env(variables: list[dict[str, Any]], path: str) -> list[Cause]:
    out: list[Cause] = []
    for i, variable in enumerate(variables):
        name = variable.get("name", "")
        if not name:
            out.append(required(f"{path}[{i}].name"))
        elif faults := env_name(name):
            out += each(f"{path}[{i}].name", name, faults)
        if variable.get("valueFrom") is not None:
            out += _value_from(variable, f"{path}[{i}].valueFrom")
    return out


def _value_from(variable: dict[str, Any], path: str) -> list[Cause]:
    source = variable["valueFrom"]
    found = [s for s in _SOURCES if source.get(s) is not None]
    out: list[Cause] = []
    for name in found:
        here = f"{path}.{name}"
        if name == "fieldRef":
            out += check_field_ref(source[name], ENV_FIELDS, here)
        elif name == "resourceFieldRef":
            out += check_resource_ref(source[name], here, volume=False)
        elif name in ("configMapKeyRef", "secretKeyRef"):
            out += _key_ref(source[name], here)
    if not found:
        words = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        out.append(invalid(path, "", words))
    elif variable.get("value"):
        out.append(invalid(path, "", "may not be specified when `value` is not empty"))
    elif len(found) > 1:
        out.append(invalid(path, "", "may not have more than one field specified at a time"))
    return out


def _key_ref(ref: dict[str, Any], path: str) -> list[Cause]:
    out = each(f"{path}.name", ref.get("name", ""), dns_subdomain(ref.get("name", "")))
    if not ref.get("key"):
        return [*out, required(f"{path}.key")]
    return out + each(f"{path}.key", ref["key"], config_key(ref["key"]))


def check_field_ref(ref: dict[str, Any], allowed: tuple[str, ...], path: str) -> list[Cause]:
    for field in ("apiVersion", "fieldPath"):
        if not ref.get(field):
            return [required(f"{path}.{field}")]
    text = ref["fieldPath"]
    subscripted = re.fullmatch(r"(.*)\['(.*)'\]", text)
    known = subscripted[1] in ("metadata.annotations", "metadata.labels") if subscripted else text in FIELD_LABELS
    if not known:
        words = f"error converting fieldPath: field label not supported: {text}"
        if subscripted and subscripted[1] in FIELD_LABELS:
            return [invalid(path, subscripted[1], "does not support subscript")]
        return [invalid(f"{path}.fieldPath", text, words)]
    if subscripted:
        key = subscripted[2]
        return each(path, key, qualified_name(key.lower() if subscripted[1] == "metadata.annotations" else key))
    text = "spec.nodeName" if text == "spec.host" else text
    return [] if text in allowed else [unsupported(f"{path}.fieldPath", text, allowed)]


def check_resource_ref(ref: dict[str, Any], path: str, *, volume: bool) -> list[Cause]:
    resource = ref.get("resource", "")
    out: list[Cause] = []
    if volume and not ref.get("containerName"):
        out.append(required(f"{path}.containerName"))
    elif not resource:
        out.append(required(f"{path}.resource"))
    elif resource not in RESOURCES and not resource.startswith(("limits.hugepages-", "requests.hugepages-")):
        out.append(unsupported(f"{path}.resource", resource, RESOURCES))
    divisor = canonical(str(ref.get("divisor", "0")))
    if divisor == "0":
        return out
    kind = resource.partition(".")[2]
    if kind == "cpu" and divisor not in ("1m", "1"):
        words = "only divisor's values 1m and 1 are supported with the cpu resource"
        out.append(invalid(f"{path}.divisor", kind, words))
    elif kind in ("memory", "ephemeral-storage") and divisor not in _MEMORY_DIVISORS:
        what = "local ephemeral storage" if kind == "ephemeral-storage" else "memory"
        words = f"only divisor's values {', '.join(_MEMORY_DIVISORS)} are supported with the {what} resource"
        out.append(invalid(f"{path}.divisor", kind, words))
    return out


def check_env_from(sources: list[dict[str, Any]], path: str) -> list[Cause]:
    out: list[Cause] = []
    for i, source in enumerate(sources):
        if source.get("prefix"):
            out += each(f"{path}[{i}].prefix", source["prefix"], env_name(source["prefix"]))
        found = [s for s in ("configMapRef", "secretRef") if source.get(s) is not None]
        for name in found:
            ref = source[name].get("name", "")
            here = f"{path}[{i}].{name}.name"
            out += each(here, ref, dns_subdomain(ref)) if ref else [required(here)]
        if not found:
            out.append(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(found) > 1:
            out.append(invalid(path, "", "may not have more than one field specified at a time"))
    return out
