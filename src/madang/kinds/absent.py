"""What an API server of v1.36 has and Madang has not yet: resources and subresources by group version, other doors.

In: nothing. Out: rows for the generated docs/compatibility.md; a test holds that these and the kind table together
are what a real server's discovery names. Who brings a kind takes its name out here.
"""

from collections.abc import Mapping

RESOURCES: Mapping[str, tuple[str, ...]] = {
    "v1": (
        "componentstatuses", "limitranges", "nodes/proxy", "pods/ephemeralcontainers", "pods/resize", "resourcequotas",
        "resourcequotas/status",
    ),
    "apps/v1": (
        "controllerrevisions", "daemonsets", "daemonsets/status", "statefulsets", "statefulsets/scale",
        "statefulsets/status",
    ),
    "batch/v1": ("cronjobs", "cronjobs/status"),
    "admissionregistration.k8s.io/v1": (
        "mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "mutatingwebhookconfigurations",
        "validatingadmissionpolicies", "validatingadmissionpolicies/status", "validatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
    ),
    "apiextensions.k8s.io/v1": ("customresourcedefinitions", "customresourcedefinitions/status"),
    "apiregistration.k8s.io/v1": ("apiservices", "apiservices/status"),
    "certificates.k8s.io/v1": (
        "certificatesigningrequests", "certificatesigningrequests/approval", "certificatesigningrequests/status",
    ),
    "flowcontrol.apiserver.k8s.io/v1": (
        "flowschemas", "flowschemas/status", "prioritylevelconfigurations", "prioritylevelconfigurations/status",
    ),
    "networking.k8s.io/v1": (
        "ingressclasses", "ingresses", "ingresses/status", "ipaddresses", "networkpolicies", "servicecidrs",
        "servicecidrs/status",
    ),
    "policy/v1": ("poddisruptionbudgets", "poddisruptionbudgets/status"),
    "rbac.authorization.k8s.io/v1": ("clusterrolebindings", "clusterroles", "rolebindings", "roles"),
    "resource.k8s.io/v1": (
        "deviceclasses", "resourceclaims", "resourceclaims/status", "resourceclaimtemplates", "resourceslices",
    ),
    "storage.k8s.io/v1": (
        "csidrivers", "csinodes", "csistoragecapacities", "volumeattachments",
        "volumeattachments/status", "volumeattributesclasses",
    ),
}  # fmt: skip
DOORS: Mapping[str, str] = {
    "paths in `/openapi/v2`": "it has all definitions; what a path takes stands in `/openapi/v3`",
    "`/metrics`": "telemetry comes later",
    "`/logs`, `/debug`": "the log of the control process is a file",
}


def markdown() -> str:
    rows = ["| API | absent |", "|---|---|"]
    rows += [f"| {group} | {', '.join(names)} |" for group, names in RESOURCES.items()]
    rows += [f"| {door} | {why} |" for door, why in DOORS.items()]
    return "\n".join(rows) + "\n"
