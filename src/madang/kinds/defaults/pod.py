"""Defaults of pods and pod templates: what every pod spec gets, and what only a Pod itself gets.

In: a decoded, fresh object, changed in place. The pod's own defaults come first, as the API applies them: requests
from limits, service links, host ports. Then come volumes, containers, probes.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from madang.kinds import quantity
from madang.ports.objects import Obj

_MILLI = 10**6  # nanos
_PATH = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
# what a volume's source gets where it is silent
_SOURCES: Mapping[str, Mapping[str, Any]] = {
    "hostPath": {"type": ""},
    "secret": {"defaultMode": 0o644},
    "configMap": {"defaultMode": 0o644},
    "downwardAPI": {"defaultMode": 0o644},
    "projected": {"defaultMode": 0o644},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {"cachingMode": "ReadWrite", "fsType": "ext4", "readOnly": False, "kind": "Shared"},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_SPEC = {"dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "terminationGracePeriodSeconds": 30,
         "schedulerName": "default-scheduler"}  # fmt: skip


def pod(obj: Obj) -> None:
    spec = obj["spec"]
    for container in _containers(spec, "containers", "initContainers"):
        _requests_from_limits(container["resources"])
    _pod_level_requests(spec)
    spec.setdefault("enableServiceLinks", True)
    if spec.get("hostNetwork"):
        for container in _containers(spec, "containers", "initContainers"):
            for port in container.get("ports", ()):
                if not port.get("hostPort") and port["containerPort"]:
                    port["hostPort"] = port["containerPort"]
    pod_spec(spec)
    if spec["terminationGracePeriodSeconds"] < 0:
        spec["terminationGracePeriodSeconds"] = 1  # of a Pod only: a template keeps what it says
    rest(obj)


def rest(obj: Obj) -> None:
    """Outside the spec."""
    _addresses(obj.get("status") or {})


def template(found: Obj | None) -> None:
    """A PodTemplateSpec."""
    if found and "spec" in found:
        pod_spec(found["spec"])


def pod_spec(spec: Obj) -> None:
    for name, value in _SPEC.items():
        spec.setdefault(name, value)
    spec.setdefault("securityContext", {})
    # two names of one field
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for volume in spec.get("volumes", ()):
        _volume(volume)
    for container in _containers(spec, "initContainers", "containers", "ephemeralContainers"):
        _container(container)
    if "overhead" in spec:
        _round(spec, "overhead")
    if "resources" in spec:
        _round(spec["resources"], "limits", "requests")


def _containers(spec: Obj, *names: str) -> Iterator[Obj]:
    for name in names:
        yield from spec.get(name) or ()


def _requests_from_limits(resources: Obj) -> None:
    limits = resources.get("limits")
    if limits:
        resources["requests"] = {**limits, **(resources.get("requests") or {})}


def _pod_level_requests(spec: Obj) -> None:
    """Where the pod as a whole has limits: its requests are its containers' sum, else those limits."""
    resources = spec.get("resources")
    if not resources or not resources.get("limits"):
        return
    requests = dict(resources.get("requests") or {})
    for name in ("cpu", "memory"):
        asked = [c["resources"].get("requests", {}).get(name) for c in _containers(spec, "containers")]
        asked += [
            c["resources"].get("requests", {}).get(name)
            for c in _containers(spec, "initContainers")
            if c.get("restartPolicy") == "Always"
        ]
        amounts = [quantity.parse(text) for text in asked if text]
        if name not in requests and amounts:
            requests[name] = str(amounts[0]._replace(nanos=sum(amount.nanos for amount in amounts)))
    resources["requests"] = {**resources["limits"], **requests}


def _volume(volume: Obj) -> None:
    if volume.keys() == {"name"}:
        volume["emptyDir"] = {}
        return
    for name, values in _SOURCES.items():
        if name in volume:
            for key, value in values.items():
                volume[name].setdefault(key, value)
    for item in volume.get("downwardAPI", {}).get("items", ()):
        _field_ref(item)
    for source in volume.get("projected", {}).get("sources") or ():
        for item in source.get("downwardAPI", {}).get("items", ()):
            _field_ref(item)
        if "serviceAccountToken" in source:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
    if "image" in volume and not volume["image"].get("pullPolicy"):
        volume["image"]["pullPolicy"] = pull_policy(volume["image"].get("reference", ""))
    claim = volume.get("ephemeral", {}).get("volumeClaimTemplate")
    if claim:
        claim["spec"].setdefault("volumeMode", "Filesystem")
        _round(claim["spec"].get("resources", {}), "limits", "requests")


def _field_ref(holder: Obj) -> None:
    if "fieldRef" in holder:
        holder["fieldRef"].setdefault("apiVersion", "v1")


def _container(container: Obj) -> None:
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = pull_policy(container.get("image", ""))
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    for port in container.get("ports", ()):
        port.setdefault("protocol", "TCP")
    for variable in container.get("env", ()):
        source = variable.get("valueFrom")
        if source:
            _field_ref(source)
            if "fileKeyRef" in source:
                source["fileKeyRef"].setdefault("optional", False)
    _round(container["resources"], "limits", "requests")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            _probe(container[name])
    for name in ("postStart", "preStop"):
        _http_get(container.get("lifecycle", {}).get(name) or {})


def _probe(probe: Obj) -> None:
    for name, value in _PROBE.items():
        probe.setdefault(name, value)
    _http_get(probe)
    if "grpc" in probe:
        probe["grpc"]["service"] = probe["grpc"].get("service") or ""


def _http_get(handler: Obj) -> None:
    if "httpGet" in handler:
        handler["httpGet"].setdefault("path", "/")
        handler["httpGet"].setdefault("scheme", "HTTP")


def pull_policy(image: str) -> str:
    """Always for the tag `latest`, said or meant; a name that is none counts as having another tag."""
    name, _, digest = image.partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    domain, _, rest = head.partition("/")
    foreign = "." in domain or ":" in domain or domain == "localhost"
    path = "/".join(part for part in ((rest if foreign else head) if slash else "", last) if part)
    if not _PATH.fullmatch(path):
        return "IfNotPresent"
    return "Always" if tag == "latest" or not (tag or digest) else "IfNotPresent"


def _round(holder: Obj, *names: str) -> None:
    """Amounts are kept in whole thousandths, rounded up."""
    for name in names or holder:
        amounts = holder.get(name)
        if amounts:
            for key, text in amounts.items():
                rounded = _in_millis(text)
                if rounded is not text:
                    amounts[key] = rounded


@lru_cache(4096)
def _in_millis(text: str) -> str:
    amount = quantity.parse(text)
    if amount.nanos % _MILLI == 0:
        return text
    return str(amount._replace(nanos=-(-amount.nanos // _MILLI) * _MILLI))


def _addresses(status: Obj) -> None:
    """Both spellings of the pod's and the host's address say the same; the single one decides."""
    for one, many in (("podIP", "podIPs"), ("hostIP", "hostIPs")):
        listed = status.get(many) or []
        if status.get(one):
            if not listed or listed[0].get("ip") != status[one]:
                status[many] = [{"ip": status[one]}]
        elif listed and one == "podIP":
            status[one] = listed[0].get("ip", "")
