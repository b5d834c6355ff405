"""What of a courtyard goes into its backup, and who must stand still for which part of it (pure).

In: the Pod objects, the courtyard's home, the folders of its named volumes. Out: groups of folders with the pods that
write there. Pods that share a volume, and volumes that a pod has together, are one group: copied under one pause.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from madang.kinds.claims import claimed
from madang.kinds.phase import ended
from madang.ports.objects import Obj

Claims = Mapping[tuple[str, str], str]  # (namespace, claim) -> path


@dataclass(frozen=True, slots=True)
class Group:
    """Folders below the home, and the uids of the pods that have them."""

    folders: tuple[str, ...]
    uids: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()  # namespace/name, for people


def groups(pods: Iterable[Obj], home: Path, named: Iterable[str], volumes: Iterable[Obj] = ()) -> list[Group]:
    """`named` are the folders of volumes that exist (`volumes/NAMESPACE/NAME`), whether a pod uses them or not;
    `volumes` the PersistentVolumes, by which claims are known."""
    claims = claimed_paths(volumes)
    found = [Group((folder,)) for folder in named]
    for pod in pods:
        if ended(pod):
            continue
        meta, folders = pod["metadata"], tuple(dict.fromkeys(own_folders(pod, home, claims)))
        if folders:
            one = Group(folders, (str(meta["uid"]),), (f"{meta['namespace']}/{meta['name']}",))
            found = joined(found, one)
    return sorted(found, key=lambda group: group.folders)


def joined(found: Sequence[Group], one: Group) -> list[Group]:
    apart = [group for group in found if not set(group.folders) & set(one.folders)]
    for group in found:
        if group not in apart:
            folders = tuple(sorted({*group.folders, *one.folders}))
            one = Group(folders, (*group.uids, *one.uids), (*group.pods, *one.pods))
    return [*apart, one]


def claimed_paths(volumes: Iterable[Obj]) -> Claims:
    """Where on this machine the volume of each claim lies."""
    found = {}
    for volume in volumes:
        spec = volume["spec"]
        ref, source = spec.get("claimRef"), spec.get("hostPath") or spec.get("local")
        if ref and source:
            found[(str(ref.get("namespace", "")), str(ref.get("name", "")))] = str(source["path"])
    return found


def machine_paths(pod: Obj, claims: Claims) -> Iterator[str]:
    """The places of this machine that a pod uses, named by itself or by its claims."""
    for volume in pod["spec"].get("volumes") or ():
        if "hostPath" in volume:
            yield str(volume["hostPath"]["path"])
    for one in claimed(pod):
        if path := claims.get((pod["metadata"]["namespace"], one.claim)):
            yield path


def own_folders(pod: Obj, home: Path, claims: Claims) -> Iterator[str]:
    """What a pod keeps below the home. What lies in memory does not outlive the pod's stop, so it is not kept."""
    top = f"{home}/volumes/"
    for path in machine_paths(pod, claims):
        if path.startswith(top):
            parts = path.removeprefix(top).strip("/").split("/")
            if len(parts) >= 2:
                yield f"volumes/{parts[0]}/{parts[1]}"
    for volume in pod["spec"].get("volumes") or ():
        if "emptyDir" in volume and (volume["emptyDir"] or {}).get("medium") != "Memory":
            yield f"pods/{pod['metadata']['uid']}/volumes/{volume['name']}"


def outside(pods: Iterable[Obj], home: Path, volumes: Iterable[Obj] = ()) -> list[str]:
    """Folders of the machine that pods use: they belong to the user, and stay where they are."""
    claims = claimed_paths(volumes)
    paths = {path for pod in pods if not ended(pod) for path in machine_paths(pod, claims)}
    return sorted(path for path in paths if not path.startswith(f"{home}/"))


def named_volumes(home: Path) -> list[str]:
    """The folders `volumes/NAMESPACE/NAME` that exist."""
    return sorted(str(path.relative_to(home)) for path in (home / "volumes").glob("*/*") if path.is_dir())
