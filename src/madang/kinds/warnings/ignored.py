"""Fields that are taken and stored, but on which nothing acts yet: each is named in a warning, never passed in silence.

In: an object. Out: one text a field that was set. The rows are data: who makes one of them work takes its row out;
`docs/compatibility.md` is made from the same rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from madang.ports.objects import Kind, Obj

TEXT = "accepted, but nothing acts on it yet"
CONTAINED = "accepted; it holds where the pod runs in a container, and nothing acts on it where it does not"


class Field(NamedTuple):
    """`[]` in a path goes through a list. `usual` is a value that asks for nothing (a default). `contained`: a
    container honours it, a program of this machine does not; which one a pod becomes is known only when it starts."""

    path: str
    usual: Any = None
    contained: bool = False


_SECURITY = tuple(
    Field(name)
    for name in (
        "appArmorProfile", "seLinuxOptions", "windowsOptions",
    )
)  # fmt: skip
_SECCOMP = Field("securityContext.seccompProfile", contained=True)
_CONTAINER = (
    Field("env[].valueFrom.fileKeyRef"),
    Field("resizePolicy"),
    Field("restartPolicyRules"),
    *(Field(f"securityContext.{field.path}") for field in _SECURITY),
    _SECCOMP,
    Field("securityContext.allowPrivilegeEscalation", contained=True),
    Field("securityContext.capabilities", contained=True),
    Field("securityContext.privileged", False, contained=True),
    Field("securityContext.procMount", "Default", contained=True),
    Field("securityContext.readOnlyRootFilesystem", False, contained=True),
    Field("volumeDevices"),
    Field("volumeMounts[].mountPropagation", "None"),
)
_POD = (
    *(field._replace(path=f"{member}[].{field.path}") for member in ("initContainers", "containers")
      for field in _CONTAINER),
    Field("ephemeralContainers"),
    Field("hostIPC", False, contained=True),
    Field("hostPID", False),
    Field("hostUsers", True),
    Field("hostnameOverride"),
    Field("resourceClaims"),
    Field("schedulingGroup"),
    *(Field(f"securityContext.{field.path}") for field in _SECURITY),
    _SECCOMP,
    Field("securityContext.fsGroupChangePolicy", "Always"),
    Field("securityContext.seLinuxChangePolicy"),
    Field("securityContext.supplementalGroupsPolicy", "Merge", contained=True),
    Field("securityContext.sysctls", contained=True),
    Field("setHostnameAsFQDN", False),
    Field("shareProcessNamespace", False),
)  # fmt: skip
_SERVICE = (
    Field("externalIPs"),
    Field("healthCheckNodePort", 0),
    Field("loadBalancerClass"),
    Field("loadBalancerIP"),
    Field("loadBalancerSourceRanges"),
    Field("trafficDistribution"),
)
# A Job that asks for one of these isn't run, and an event says so too.
_JOB = (
    Field("backoffLimitPerIndex"),
    Field("maxFailedIndexes"),
    Field("podFailurePolicy"),
    Field("successPolicy"),
)
_AUTOSCALER = (Field("metrics[].external"), Field("metrics[].object"), Field("metrics[].pods"))
_TEMPLATE = tuple(field._replace(path=f"template.spec.{field.path}") for field in _POD)
FIELDS: Mapping[Kind, Sequence[Field]] = {
    kind: tuple(field._replace(path=f"spec.{field.path}") for field in fields)
    for kind, fields in {
        "deployments.apps": _TEMPLATE,
        "gatewayclasses.gateway.networking.k8s.io": (Field("parametersRef"),),
        "gateways.gateway.networking.k8s.io": (Field("infrastructure"),),
        "horizontalpodautoscalers.autoscaling": _AUTOSCALER,
        "jobs.batch": (*_JOB, *_TEMPLATE),
        "pods": _POD,
        "replicasets.apps": _TEMPLATE,
        "replicationcontrollers": _TEMPLATE,
        "services": _SERVICE,
    }.items()
}


class _Branch:
    """The rows of a kind as one tree, so that an object is walked once. `leaf` where a row ends here."""

    __slots__ = ("inner", "leaf", "text", "usual")

    def __init__(self) -> None:
        self.inner: dict[str, _Branch] = {}
        self.leaf = False
        self.usual: Any = None
        self.text = TEXT


def _tree(fields: Sequence[Field]) -> _Branch:
    root = _Branch()
    for field in fields:
        branch = root
        for step in field.path.replace("[]", "").split("."):
            branch = branch.inner.setdefault(step, _Branch())
        branch.leaf, branch.usual = True, field.usual
        branch.text = CONTAINED if field.contained else TEXT
    return root


_TREES: Mapping[Kind, _Branch] = {kind: _tree(fields) for kind, fields in FIELDS.items()}


def of(kind: Kind, obj: Obj) -> list[str]:
    """In the order of the object."""
    return [f"{place}: {text}" for place, text in _asked(kind, obj)]


def paths(kind: Kind, obj: Obj) -> list[str]:
    """The places alone."""
    return [place for place, _ in _asked(kind, obj)]


def _asked(kind: Kind, obj: Obj) -> Iterator[tuple[str, str]]:
    tree = _TREES.get(kind)
    if tree:
        yield from _found(obj, tree, "")


def _found(value: Any, branch: _Branch, at: str) -> Iterator[tuple[str, str]]:
    if value.__class__ is list:
        for i, item in enumerate(value):
            yield from _found(item, branch, f"{at}[{i}]")
        return
    for name, item in value.items():
        inner = branch.inner.get(name)
        if inner is None:
            continue
        place = f"{at}.{name}" if at else name
        if not inner.leaf:
            if item:
                yield from _found(item, inner, place)
        elif item not in (inner.usual, None, "", [], {}):
            yield place, inner.text
