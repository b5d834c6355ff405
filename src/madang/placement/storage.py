"""What a pod's claims mean for where it may go: refusals, nodes that reach its volumes, claims that wait for it.

In: the tally's claims, volumes and classes, a pod. Out: why it must wait, whether a node will do, and what to write so
that a claim that waited for a pod is bound (kubernetes scheduler plugins volumebinding, volumerestrictions).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from madang.kinds import claims as c
from madang.placement.matching import any_term_holds
from madang.ports.actions import Action, Patch
from madang.ports.objects import Key, Obj

UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
NOT_THERE = "node(s) didn't match PersistentVolume's node affinity"
NONE_FREE = "node(s) didn't find available persistent volumes to bind"


@dataclass(slots=True)
class Storage:
    """Kept up to date by the scheduler. `taken`: volumes that a claim was just given, until they say so themselves."""

    claims: dict[tuple[str, str], Obj] = field(default_factory=dict)
    volumes: dict[str, Obj] = field(default_factory=dict)
    classes: dict[str, Obj] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)  # volume -> the claim's uid

    def hear(self, key: Key, obj: Obj | None) -> None:
        """An object as it stands now; None: it is gone."""
        kept: dict[Any, Obj] = self.claims if key.kind == c.CLAIMS else self.volumes
        if key.kind == c.CLASSES:
            kept = self.classes
        place = (key.namespace, key.name) if key.kind == c.CLAIMS else key.name
        if obj is None:
            kept.pop(place, None)
        else:
            kept[place] = obj
        if key.kind == c.VOLUMES:
            self.taken.pop(key.name, None)

    def of(self, pod: Obj) -> list[tuple[c.Claimed, Obj | None]]:
        namespace = pod["metadata"]["namespace"]
        return [(one, self.claims.get((namespace, one.claim))) for one in c.claimed(pod)]

    def delayed(self, claim: Obj) -> bool:
        return c.waits(self.classes.get(c.class_name(claim)))


def refusal(storage: Storage, pod: Obj) -> str:
    """Why no node will do; empty where some may."""
    for one, claim in storage.of(pod):
        if claim is None:
            if one.ephemeral:
                return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{one.claim}"'
            return f'persistentvolumeclaim "{one.claim}" not found'
        if (claim.get("status") or {}).get("phase") == "Lost":
            name = claim["spec"].get("volumeName", "")
            return f'persistentvolumeclaim "{one.claim}" bound to non-existent persistentvolume "{name}"'
        if "deletionTimestamp" in claim["metadata"]:
            return f'persistentvolumeclaim "{one.claim}" is being deleted'
    if any(claim is not None and not c.bound(claim) and not storage.delayed(claim) for _, claim in storage.of(pod)):
        return UNBOUND
    return ""


class Look(NamedTuple):
    """The claims of one pod, looked at once for all nodes."""

    storage: Storage
    volumes: Sequence[Obj]  # that it has
    waiting: Sequence[Obj]  # claims that wait for it


def look(storage: Storage, pod: Obj) -> Look:
    found = [claim for _, claim in storage.of(pod) if claim is not None]
    names = [claim["spec"].get("volumeName", "") for claim in found if c.bound(claim)]
    volumes = [storage.volumes[name] for name in names if name in storage.volumes]
    return Look(storage, volumes, [claim for claim in found if not c.bound(claim)])


def reached(volume: Obj, node: str, labels: Mapping[str, str]) -> bool:
    terms = c.node_terms(volume)
    return terms is None or any_term_holds(terms, node, labels)


def unfit(seen: Look, node: str, labels: Mapping[str, str]) -> list[str]:
    """Why a node will not do."""
    out = [NOT_THERE] if not all(reached(volume, node, labels) for volume in seen.volumes) else []
    free = [claim for claim in seen.waiting if not _choice(seen.storage, claim, node, labels)]
    if any(not _made_here(seen.storage.classes.get(c.class_name(claim)), labels) for claim in free):
        out.append(NONE_FREE)
    return out


def _made_here(class_: Obj | None, labels: Mapping[str, str]) -> bool:
    if class_ is None or class_["provisioner"] == c.NO_PROVISIONER:
        return False
    terms = class_.get("allowedTopologies") or ()
    return not terms or any(
        all(labels.get(rule["key"]) in rule["values"] for rule in term.get("matchLabelExpressions") or ())
        for term in terms
    )


def _choice(
    storage: Storage, claim: Obj, node: str, labels: Mapping[str, str], but: Collection[str] = ()
) -> Obj | None:
    uid = claim["metadata"]["uid"]
    free = (v for name, v in storage.volumes.items() if storage.taken.get(name, uid) == uid and name not in but)
    return c.choose(claim, free, reaches=lambda volume: reached(volume, node, labels))


def binding(seen: Look, node: str, labels: Mapping[str, str]) -> list[Action]:
    """For a pod that is to go there: each claim that waited is given a volume, or told where one is to be made."""
    actions: list[Action] = []
    given: list[str] = []
    for claim in seen.waiting:
        meta = claim["metadata"]
        volume = _choice(seen.storage, claim, node, labels, given)
        if volume is None:
            note = {"metadata": {"annotations": {c.SELECTED_NODE: node}}}
            if c.annotations(claim).get(c.SELECTED_NODE) != node:
                actions.append(Patch(c.CLAIMS, meta["namespace"], meta["name"], note, uid=meta["uid"]))
            continue
        given.append(volume["metadata"]["name"])
        seen.storage.taken[volume["metadata"]["name"]] = meta["uid"]
        actions += given_to(volume, claim)
    return actions


def given_to(volume: Obj, claim: Obj) -> list[Action]:
    own, patch = volume["metadata"], c.give(volume, claim)
    if patch is None:
        return []
    return [Patch(c.VOLUMES, "", own["name"], patch, uid=own["uid"], revision=own.get("resourceVersion"))]
