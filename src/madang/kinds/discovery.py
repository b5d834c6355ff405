"""What a client may ask for: the discovery documents, built from the kind table.

In: the table. Out: the bodies of /api, /apis, /apis/GROUP, /apis/GROUP/VERSION, in the plain and in the aggregated
form (apidiscovery.k8s.io/v2, which kubectl asks for). All are constant and made once.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache

from madang.kinds.kind import Subresource
from madang.kinds.table import REVIEWS, SERVED, Served
from madang.ports.objects import Obj

# groups in the order of preference that a cluster gives them
_ORDER = ("", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch",
          "storage.k8s.io", "scheduling.k8s.io", "coordination.k8s.io", "node.k8s.io", "discovery.k8s.io",
          "gateway.networking.k8s.io", "metrics.k8s.io")  # fmt: skip


@cache
def groups() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(group, versions), the preferred version first; without the core group."""
    found: dict[str, list[str]] = {}
    for served in (*SERVED, *REVIEWS):
        versions = found.setdefault(served.group, [])
        if served.version not in versions:
            versions.append(served.version)
    return tuple((group, tuple(found[group])) for group in sorted(found, key=_rank) if group)


def _rank(group: str) -> tuple[int, str]:
    return (_ORDER.index(group) if group in _ORDER else len(_ORDER), group)


def storage_version_hash(group: str, version: str, kind: str) -> str:
    """What tells a client that two resources are one storage."""
    return base64.b64encode(hashlib.sha256(f"{group}/{version}/{kind}".encode()).digest()[:8]).decode()


def core_versions(server_address: str) -> Obj:
    """/api."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": server_address}],
    }


def group_list() -> Obj:
    """/apis."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name, vs) for name, vs in groups()]}


def group(name: str) -> Obj | None:
    """/apis/GROUP."""
    found = next((versions for known, versions in groups() if known == name), None)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, found)} if found else None


def _group(name: str, versions: Sequence[str]) -> Obj:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


@cache
def _of(group: str, version: str) -> tuple[Served, ...]:
    found = [served for served in (*SERVED, *REVIEWS) if (served.group, served.version) == (group, version)]
    return tuple(sorted(found, key=lambda served: served.kind.plural))


@cache
def resource_list(group: str, version: str) -> Obj | None:
    """/api/v1 and /apis/GROUP/VERSION."""
    found = _of(group, version)
    if not found:
        return None
    resources = [entry for served in found for entry in _entries(served)]
    head: Obj = {"kind": "APIResourceList"}
    if group:
        head["apiVersion"] = "v1"
    group_version = f"{group}/{version}" if group else version
    return {**head, "groupVersion": group_version, "resources": resources}


def _entries(served: Served) -> list[Obj]:
    kind = served.kind
    entry: Obj = {
        "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind,
        "verbs": sorted(kind.verbs),
    }  # fmt: skip
    if kind.short:
        entry["shortNames"] = list(kind.short)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if "watch" in kind.verbs:
        entry["storageVersionHash"] = storage_version_hash(kind.group, kind.version, kind.kind)
    return [entry, *(_sub_entry(served, sub) for sub in sorted(kind.subresources, key=lambda sub: sub.name))]


def _sub_entry(served: Served, sub: Subresource) -> Obj:
    entry: Obj = {
        "name": f"{served.kind.plural}/{sub.name}", "singularName": "", "namespaced": served.kind.namespaced,
        "kind": sub.kind or served.kind.kind, "verbs": sorted(sub.verbs),
    }  # fmt: skip
    return {**entry, "group": sub.group, "version": sub.version} if sub.group else entry


@cache
def aggregated(core: bool) -> Obj:
    """/api or /apis in the form of apidiscovery.k8s.io/v2."""
    listed = [("", ("v1",))] if core else groups()
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": name} if name else {},
                "versions": [
                    {"version": v, "resources": [_resource(s) for s in _of(name, v)], "freshness": "Current"}
                    for v in versions
                ],
            }
            for name, versions in listed
        ],
    }


def _resource(served: Served) -> Obj:
    kind = served.kind
    entry: Obj = {
        "resource": kind.plural,
        "responseKind": {"group": served.group, "version": served.version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": sorted(kind.verbs),
    }
    if kind.short:
        entry["shortNames"] = list(kind.short)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if kind.subresources:
        entry["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": {
                    "group": sub.group if sub.kind else served.group,
                    "version": (sub.version or "v1") if sub.kind else served.version,
                    "kind": sub.kind or kind.kind,
                },
                "verbs": sorted(sub.verbs),
            }
            for sub in sorted(kind.subresources, key=lambda sub: sub.name)
        ]
    return entry
