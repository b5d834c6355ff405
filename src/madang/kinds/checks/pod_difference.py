"""How the API shows what a forbidden change of a pod would change: a unified diff of the two specs, as Go sees them.

In: two pod specs. Out: the hunks. Go prints its internal structs: capital names, every field of them, absent ones as
null; of nested structs only the fields that matter for reading are spelled here, by their schema.
"""

import difflib
import json
import re
from collections.abc import Collection, Sequence
from typing import Any

from madang.kinds.schema import Node, definition

# The internal PodSpec's own order. Four fields of v1 live in its security context.
_ORDER = (
    "volumes", "initContainers", "containers", "ephemeralContainers", "restartPolicy",
    "terminationGracePeriodSeconds", "activeDeadlineSeconds", "dnsPolicy", "nodeSelector", "serviceAccountName",
    "automountServiceAccountToken", "nodeName", "securityContext", "imagePullSecrets", "hostname", "subdomain",
    "setHostnameAsFQDN", "affinity", "schedulerName", "tolerations", "hostAliases", "priorityClassName", "priority",
    "preemptionPolicy", "dnsConfig", "readinessGates", "runtimeClassName", "overhead", "enableServiceLinks",
    "topologySpreadConstraints", "os", "schedulingGates", "resourceClaims", "resources", "hostnameOverride",
)  # fmt: skip
_IN_SECURITY = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
_ZERO: dict[str, Any] = {"string": "", "integer": 0, "boolean": False, "quantity": "0"}


def difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    return hunks(_lines(old), _lines(new))


def hunks(old: Sequence[str], new: Sequence[str]) -> str:
    lines = difflib.unified_diff(old, new, n=3, lineterm="")
    # Without the two lines of file names.
    return "".join(line + "\n" for line in list(lines)[2:])


def _lines(spec: dict[str, Any]) -> list[str]:
    node = definition("core.v1.PodSpec")
    shown: dict[str, Any] = {}
    for name in _ORDER:
        if name == "securityContext":
            inner = {**(spec.get(name) or {}), **{k: spec[k] for k in _IN_SECURITY if k in spec}}
            host = {_name(k): bool(inner.pop(k, False)) for k in _IN_SECURITY[:3]}
            host |= {_name(k): inner.pop(k, None) for k in _IN_SECURITY[3:]}
            shown[_name(name)] = {**host, **_shown(inner, node.fields[name])}
        elif name in node.fields:
            shown[_name(name)] = _shown(spec.get(name), node.fields[name])
    return json.dumps(shown, indent=1, ensure_ascii=False).splitlines()


def spec_lines(spec: dict[str, Any], shape: str, leave: Collection[str] = ()) -> list[str]:
    """Another kind's spec, by its definition's name."""
    fields = {k: n for k, n in definition(shape).fields.items() if k not in leave}
    shown = {_name(k): _shown(spec.get(k), n) for k, n in fields.items()}
    return json.dumps(shown, indent=1, ensure_ascii=False).splitlines()


def _shown(value: Any, node: Node) -> Any:
    if value is None:
        if node.type == "object" and node.always and not node.pointer:
            value = {}
        else:
            return None if node.pointer else _ZERO.get(node.type)
    if isinstance(value, dict) and node.type == "object":
        return {_name(k): _shown(value.get(k), n) for k, n in node.fields.items()}
    if isinstance(value, list) and node.items is not None:
        return [_shown(v, node.items) for v in value]
    return value


def _name(field: str) -> str:
    """`dnsPolicy` is DNSPolicy, `hostIPC` HostIPC."""
    head = re.match(r"dns|tty|uid|gid|ip|os|url|api|fs|se(?=LinuxOptions)|gce|aws|nfs|rbd|csi|fc|http|tcp|grpc", field)
    if head and (len(field) == head.end() or field[head.end()].isupper()):
        return field[: head.end()].upper() + field[head.end() :]
    return field[:1].upper() + field[1:]
