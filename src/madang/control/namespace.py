"""Namespaces: each has its ServiceAccount and the CA's text; one that is deleted is emptied, then let go.

In: the Namespace and what is in it. Out: the two objects where they lack; deletions, the conditions that tell what
remains, and at last the finalizer taken off (kubernetes pkg/controller/namespace, rootcacertpublisher).
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control.conditions import find, made
from madang.control.controller import Ref, Waker, wake_self
from madang.control.difference import status_patch
from madang.control.pods import deleting
from madang.kinds.furnishing import ACCOUNT, CA_KEY, ROOT_CA, account, root_ca
from madang.kinds.table import ALL
from madang.ports.actions import Action, Create, Delete, Patch, Replace, Wake
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

KIND, ACCOUNTS, MAPS = "namespaces", "serviceaccounts", "configmaps"
FINALIZER = "kubernetes"
CONTENT: tuple[Kind, ...] = tuple(
    kind.id for kind in ALL if kind.namespaced and {"list", "delete", "watch"} <= set(kind.verbs)
)
AT_ONCE = 500
# What always holds here; (type, reason, message), all with status False.
CALM = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions",
     "All legacy kube types successfully parsed"),
    ("NamespaceDeletionContentFailure", "ContentDeleted",
     "All content successfully deleted, may be waiting on finalization"),
)  # fmt: skip


def wake_of_content(obj: Obj, view: View) -> Iterable[Ref]:
    """What is in a namespace that goes, and the two objects that every other one has."""
    namespace = obj["metadata"].get("namespace", "")
    found = view.get(KIND, "", namespace)
    if found is not None and (deleting(found) or obj["metadata"]["name"] in (ACCOUNT, ROOT_CA)):
        yield Ref("", namespace)


class NamespaceController:
    """`ca_pem` is the text that pods trust the API by."""

    NAME = "namespace-controller"
    WATCHES: Mapping[Kind, Waker] = {KIND: wake_self, **{kind: wake_of_content for kind in CONTENT if kind != "events"}}

    def __init__(self, ca_pem: str) -> None:
        self._ca_pem = ca_pem

    def decide(self, ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
        namespace = view.get(KIND, "", ref.name)
        if namespace is None:
            return []
        if not deleting(namespace):
            return self._furnished(ref.name, view)
        return emptied(namespace, view, now)

    def _furnished(self, name: str, view: View) -> list[Action]:
        actions: list[Action] = []
        if view.get(ACCOUNTS, name, ACCOUNT) is None:
            actions.append(Create(ACCOUNTS, account(name)))
        present = view.get(MAPS, name, ROOT_CA)
        if present is None:
            actions.append(Create(MAPS, root_ca(name, self._ca_pem)))
        elif (present.get("data") or {}).get(CA_KEY) != self._ca_pem:
            actions.append(Patch(MAPS, name, ROOT_CA, {"data": {CA_KEY: self._ca_pem}}))
        return actions


def emptied(namespace: Obj, view: View, now: float) -> list[Action]:
    name = namespace["metadata"]["name"]
    present = [(kind, obj) for kind in CONTENT for obj in view.list(kind, name)]
    if not present:
        actions: list[Action] = list(told(namespace, [], now))
        return actions or [*finalized(namespace)]
    deletions = [
        Delete(kind, name, obj["metadata"]["name"], uid=obj["metadata"]["uid"], propagation="Background")
        for kind, obj in present
        if not deleting(obj)
    ][:AT_ONCE]
    if deletions:  # most goes at once and needs no telling: look again
        return [*deletions, Wake(0.02)]
    return list(told(namespace, present, now))


def told(namespace: Obj, remaining: Sequence[tuple[Kind, Obj]], now: float) -> list[Patch]:
    conditions = [made(type_, "False", reason, message, now) for type_, reason, message in CALM]
    kinds: dict[Kind, int] = {}
    finalizers: dict[str, int] = {}
    for kind, obj in remaining:
        kinds[kind] = kinds.get(kind, 0) + 1
        for finalizer in obj["metadata"].get("finalizers") or ():
            finalizers[finalizer] = finalizers.get(finalizer, 0) + 1
    if kinds:
        text = ", ".join(
            f"{kind}{'' if '.' in kind else '.'} has {n} resource instances" for kind, n in sorted(kinds.items())
        )
        content = made(
            "NamespaceContentRemaining", "True", "SomeResourcesRemain", f"Some resources are remaining: {text}", now
        )
    else:
        content = made("NamespaceContentRemaining", "False", "ContentRemoved", "All content successfully removed", now)
    if finalizers:
        text = ", ".join(f"{one} in {n} resource instances" for one, n in sorted(finalizers.items()))
        waits = made("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain",
                     f"Some content in the namespace has finalizers remaining: {text}", now)  # fmt: skip
    else:
        waits = made("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers",
                     "All content-preserving finalizers finished", now)  # fmt: skip
    old = namespace.get("status") or {}
    steady = [same(old.get("conditions"), new) for new in (*conditions, content, waits)]
    return status_patch(KIND, namespace, {**old, "phase": "Terminating", "conditions": steady})


def same(conditions: Sequence[Obj] | None, new: Obj) -> Obj:
    """The new condition with the hour of the old one, where nothing else changed."""
    old = find(conditions, new["type"])
    if old is not None and old["status"] == new["status"]:
        return {**new, "lastTransitionTime": old.get("lastTransitionTime", new["lastTransitionTime"])}
    return new


def finalized(namespace: Obj) -> list[Action]:
    rest = [f for f in (namespace.get("spec") or {}).get("finalizers") or () if f != FINALIZER]
    if len(rest) == len((namespace.get("spec") or {}).get("finalizers") or ()):
        return []  # others' finalizers, or metadata's: theirs to lift
    spec = {**(namespace.get("spec") or {}), "finalizers": rest}
    return [Replace(KIND, {**namespace, "spec": spec}, subresource="finalize")]
