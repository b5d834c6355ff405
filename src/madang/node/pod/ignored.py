"""What a pod asks for and the host runtime does not give: named in an event, never silently left out.

In: the pod. Out: field paths. A field that asks for what is so anyway (hostPID false, no capabilities added) is none.
"""

from collections.abc import Callable, Iterator
from typing import Any

from madang.node.pod import spec
from madang.ports.objects import Obj

_given: Callable[[Any], bool] = bool

# (path below the container, whether its value asks for something). Motive: a process of this machine has this
# machine's kernel surface; only identity, limits and mounts are its own.
_CONTAINER = (
    (("securityContext", "privileged"), _given),
    (("securityContext", "capabilities"), _given),
    (("securityContext", "readOnlyRootFilesystem"), _given),
    (("securityContext", "seccompProfile"), _given),
    (("securityContext", "appArmorProfile"), _given),
    (("securityContext", "seLinuxOptions"), _given),
    (("securityContext", "allowPrivilegeEscalation"), lambda v: v is False),
    (("securityContext", "procMount"), lambda v: v not in (None, "", "Default")),
    (("volumeDevices",), _given),
    (("restartPolicyRules",), _given),
)
_POD = (
    (("hostPID",), _given),
    (("hostIPC",), _given),
    (("hostUsers",), lambda v: v is False),
    (("shareProcessNamespace",), _given),
    (("setHostnameAsFQDN",), _given),
    (("securityContext", "sysctls"), _given),
    (("securityContext", "seccompProfile"), _given),
    (("securityContext", "appArmorProfile"), _given),
    (("securityContext", "seLinuxOptions"), _given),
    (("resourceClaims",), _given),
    (("ephemeralContainers",), _given),
)


# Where a program can be shown no file of its own.
_UNMOUNTED = (
    (("dnsConfig",), _given),
    (("dnsPolicy",), lambda v: v == "None"),
)


def ignored(pod: Obj, *, mounts: bool = True) -> list[str]:
    """`mounts`: programs can be given mounts of their own here."""
    rows = _POD if mounts else (*_POD, *_UNMOUNTED)
    found = [f"spec.{'.'.join(path)}" for path, asks in rows if asks(_at(pod["spec"], path))]
    for role in spec.roles(pod):
        found += [f"{role.field_path}.{'.'.join(path)}" for path, asks in _CONTAINER if asks(_at(role.spec, path))]
        found += list(_mounts(role))
        if role.kind != "sidecar" and role.spec.get("restartPolicy"):
            found.append(f"{role.field_path}.restartPolicy")
    return found


def message(paths: list[str]) -> str:
    return f"not honoured by the host runtime: {', '.join(paths)}"


def _mounts(role: spec.Role) -> Iterator[str]:
    for m in role.spec.get("volumeMounts") or ():
        if m.get("mountPropagation") not in (None, "", "None"):
            yield f"{role.field_path}.volumeMounts[{m['name']}].mountPropagation"


def _at(body: Obj, path: tuple[str, ...]) -> Any:
    found: Any = body
    for name in path:
        found = (found or {}).get(name)
    return found
