"""Security contexts, of a pod and of its containers.

In: the contexts with their path. Out: causes.
"""

import re
from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import duplicate, invalid, one_of, required
from madang.kinds.names import between

MAX_ID = 2**31 - 1
SYSCTL = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_sysctl = re.compile(SYSCTL).fullmatch


def check_pod_security(context: dict[str, Any] | None, spec: dict[str, Any], path: str) -> list[Cause]:
    out: list[Cause] = []
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        words = "ShareProcessNamespace and HostPID cannot both be enabled"
        out.append(invalid(f"{path}.shareProcessNamespace", True, words))
    if not context:
        return out
    out += _id(context.get("fsGroup"), f"{path}.fsGroup")
    out += _id(context.get("runAsUser"), f"{path}.runAsUser")
    out += _id(context.get("runAsGroup"), f"{path}.runAsGroup")
    for i, group in enumerate(context.get("supplementalGroups") or ()):
        out += _id(group, f"{path}.supplementalGroups[{i}]")
    out += _sysctls(context.get("sysctls") or [], f"{path}.sysctls")
    allowed = ("Always", "OnRootMismatch")
    out += one_of(f"{path}.fsGroupChangePolicy", context.get("fsGroupChangePolicy"), allowed, needed=False)
    return out + _seccomp(context.get("seccompProfile"), f"{path}.seccompProfile")


def check_container_security(context: dict[str, Any] | None, path: str) -> list[Cause]:
    if not context:
        return []
    out = _id(context.get("runAsUser"), f"{path}.runAsUser") + _id(context.get("runAsGroup"), f"{path}.runAsGroup")
    out += one_of(f"{path}.procMount", context.get("procMount"), ("Default", "Unmasked"), needed=False)
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            words = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            out.append(invalid(path, context, words))
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            words = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            out.append(invalid(path, context, words))
    return out + _seccomp(context.get("seccompProfile"), f"{path}.seccompProfile")


def _id(number: int | None, path: str) -> list[Cause]:
    if number is None or 0 <= number <= MAX_ID:
        return []
    return [invalid(path, number, between(0, MAX_ID))]


def _sysctls(sysctls: list[dict[str, Any]], path: str) -> list[Cause]:
    out: list[Cause] = []
    names: set[str] = set()
    for i, sysctl in enumerate(sysctls):
        name, here = sysctl.get("name", ""), f"{path}[{i}].name"
        if not name:
            out.append(required(here))
        elif len(name) > 253 or not _sysctl(name):
            out.append(invalid(here, name, f"must have at most 253 characters and match regex ^{SYSCTL}$"))
        elif name.replace("/", ".") in names:
            out.append(duplicate(here, name))
        names.add(name.replace("/", "."))
    return out


def _seccomp(profile: dict[str, Any] | None, path: str) -> list[Cause]:
    if profile is None:
        return []
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    if kind == "Localhost":
        if local is None:
            return [required(f"{path}.localhostProfile", "must be set when seccomp type is Localhost")]
        return []
    out = []
    if local is not None:
        words = "can only be set when seccomp type is Localhost"
        out.append(invalid(f"{path}.localhostProfile", profile, words))
    allowed = ("Localhost", "RuntimeDefault", "Unconfined")
    if not kind:
        return [*out, required(f"{path}.type", "type is required when seccompProfile is set")]
    return out + one_of(f"{path}.type", kind, allowed)
