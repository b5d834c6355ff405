"""The hands on a pod's volumes: made before its containers start, kept up to date, taken away at the end.

In: pod objects. Out: where each volume lies on this machine, by name. Refusals are `Refused`, with the volume's name
in front as the event FailedMount shows it.
"""

import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from madang.kinds import claims, quantity
from madang.node.aside import Aside, at_once
from madang.node.launch.environment import Lookup, Place
from madang.node.runtimes.monitor.beneath import opened
from madang.node.volumes.claim import give, hosted, open_to_all
from madang.node.volumes.content import OBJECT_SOURCES, File, Refused, Token, content
from madang.node.volumes.host_path import host_path
from madang.node.volumes.projection import project
from madang.node.volumes.weight import size
from madang.porch import standing
from madang.ports.objects import Obj

_MEMORY = Path("/dev/shm")


class Volumes:
    """`id` is the courtyard's: what it makes in memory carries it. `token` gives service account tokens; without
    it the file is left out."""

    def __init__(self, home: Path, id: str, token: Token | None, aside: Aside = at_once) -> None:
        self._pods = home / "pods"
        self._id = id
        self._token = token
        self._aside = aside
        self._given: set[tuple[str, str]] = set()  # (pod, volume) whose group has been given what lies there

    def folder(self, uid: str) -> Path:
        return self._pods / uid / "volumes"

    async def prepare(self, pod: Obj, lookup: Lookup, place: Place) -> dict[str, Path]:
        """Make (or bring up to date) all volumes. Raises Refused for the first that cannot be made."""
        made = {}
        for volume in pod["spec"].get("volumes") or ():
            name = volume["name"]
            try:
                made[name] = await self._make(pod, volume, lookup, place)
            except Refused as e:
                raise Refused(f'MountVolume.SetUp failed for volume "{name}" : {e}') from e
            except OSError as e:
                raise Refused(f'MountVolume.SetUp failed for volume "{name}" : {e.strerror or e}') from e
        return made

    async def _make(self, pod: Obj, volume: Obj, lookup: Lookup, place: Place) -> Path:
        uid, name = pod["metadata"]["uid"], volume["name"]
        folder: Path = self.folder(uid) / name
        if any(k in volume for k in OBJECT_SOURCES):
            files, tokens = content(pod, volume, lookup, place)
            if tokens and self._token is not None:
                for t in tokens:
                    text = await self._token(pod, t.audience, t.seconds)
                    if text is not None:
                        files[t.path] = File(text.encode(), t.mode)
            await self._aside(lambda: project(folder, files, owner_of(pod)))
            return folder
        if "hostPath" in volume:
            return host_path(volume["hostPath"])
        if "emptyDir" in volume:
            return await self._aside(lambda: self._empty(uid, folder, volume["emptyDir"] or {}, pod))
        if claimed := next((one for one in claims.claimed(pod) if one.volume == name), None):
            kept, place_ = hosted(pod, claimed, lookup)
            return await self._aside(lambda: self._persistent(pod, kept, place_))
        kind = next((k for k in volume if k != "name"), "")
        raise Refused(f"volumes of the kind {kind} aren't built yet; use emptyDir, hostPath, configMap or secret")

    def _empty(self, uid: str, folder: Path, source: Obj, pod: Obj) -> Path:
        if source.get("medium") == "Memory" and os.access(_MEMORY, os.W_OK):
            folder = self._memory(uid) / folder.name
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(0o777)
            owner = owner_of(pod)
            if owner is not None:
                os.chown(folder, -1, owner[1])
                folder.chmod(0o2777)
        return folder

    def empty_folders(self, pod: Obj) -> dict[str, Path]:
        """Where its emptyDirs lie, by name, as far as they have been made."""
        uid = pod["metadata"]["uid"]
        names = [v["name"] for v in pod["spec"].get("volumes") or () if "emptyDir" in v]
        places = {name: (self._memory(uid) / name, self.folder(uid) / name) for name in names}
        found = ((name, next((p for p in either if p.is_dir()), None)) for name, either in places.items())
        return {name: path for name, path in found if path is not None}

    def _persistent(self, pod: Obj, volume: Obj, source: Obj) -> Path:
        ours = bool(claims.folder_name(volume))
        if ours:
            open_to_all(Path(source["path"]))
        path = host_path(source)
        group = owner_of(pod)
        key = (pod["metadata"]["uid"], volume["metadata"]["name"])
        if group is not None and (ours or "local" in volume["spec"]) and key not in self._given:
            self._given.add(key)
            context = pod["spec"].get("securityContext") or {}
            give(path, group[1], context.get("fsGroupChangePolicy") or "Always")
        return path

    def _memory(self, uid: str) -> Path:
        return _MEMORY / f"madang-{self._id}-{uid}"

    def release(self, uid: str) -> None:
        """Give back the memory of a pod that stops and may start again: what lies there does not outlive it."""
        shutil.rmtree(self._memory(uid), ignore_errors=True)

    def remove(self, uid: str) -> None:
        """Take away what was made for a pod; what lies on hostPaths stays."""
        self._given = {key for key in self._given if key[0] != uid}
        for folder in (self.folder(uid), self._memory(uid)):
            shutil.rmtree(folder, ignore_errors=True)

    def sweep(self, uids: Collection[str]) -> None:
        """Take away what lies in memory for pods that are no more."""
        sweep_memory(self._id, uids)

    def refresh_s(self, pod: Obj) -> float | None:
        """After how many seconds a token of this pod has to be renewed: at four fifths of its life."""
        lives = [
            int(part["serviceAccountToken"].get("expirationSeconds") or 3600)
            for volume in pod["spec"].get("volumes") or ()
            for part in (volume.get("projected") or {}).get("sources") or ()
            if "serviceAccountToken" in part
        ]
        return min(lives) * 0.8 if lives and self._token is not None else None


def sweep_memory(id: str, uids: Collection[str] = ()) -> None:
    """Of one courtyard, for all pods but these."""
    own = f"madang-{id}-"
    for folder in _MEMORY.glob(f"{own}*"):
        if folder.name.removeprefix(own) not in uids and folder.lstat().st_uid == os.getuid():
            shutil.rmtree(folder, ignore_errors=True)


def uses(pod: Obj, kind: str, name: str) -> bool:
    """Whether a volume of `pod` shows the ConfigMap or Secret `name`."""
    source, key = ("configMap", "name") if kind == "configmaps" else ("secret", "secretName")
    for volume in pod["spec"].get("volumes") or ():
        if (volume.get(source) or {}).get(key) == name:
            return True
        for part in (volume.get("projected") or {}).get("sources") or ():
            if (part.get(source) or {}).get("name") == name:
                return True
    return False


def limits(pod: Obj) -> dict[str, str]:
    """What its emptyDirs may hold, as it is written; by the volume's name."""
    found = ((v["name"], (v.get("emptyDir") or {}).get("sizeLimit")) for v in pod["spec"].get("volumes") or ())
    return {name: str(limit) for name, limit in found if limit is not None and quantity.value(str(limit)) > 0}


def overfull(limits: Mapping[str, str], folders: Mapping[str, Path]) -> str:
    """Why a pod has to go whose emptyDir holds more than it may, in the kubelet's words; empty where none does. Walks
    them: for a thread."""
    for name, limit in limits.items():
        if name in folders and size(folders[name]) > quantity.value(limit):
            return f'Usage of EmptyDir volume "{name}" exceeds the limit "{quantity.canonical(limit)}". '
    return ""


def tells_address(pod: Obj) -> bool:
    """Whether a volume shows what only a pod that is connected has."""
    return any(path.startswith("status.") for path in _shown(pod))


def tells_fields(pod: Obj) -> bool:
    """Whether a volume shows what may change while the pod runs."""
    return any(path.startswith(("metadata.labels", "metadata.annotations")) for path in _shown(pod))


def _shown(pod: Obj) -> list[str]:
    """The field paths of all downward volumes."""
    volumes = pod["spec"].get("volumes") or ()
    parts = [part for v in volumes for part in (v, *((v.get("projected") or {}).get("sources") or ()))]
    items = [item for part in parts for item in (part.get("downwardAPI") or {}).get("items") or ()]
    return [(item.get("fieldRef") or {}).get("fieldPath", "") for item in items]


def owner_of(pod: Obj) -> tuple[int, int] | None:
    """(-1, group) for fsGroup where we may give files away."""
    group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    return (-1, int(group)) if group is not None and standing.user() == 0 else None


def only_read(pod: Obj, name: str) -> bool:
    """Whether a volume is read-only wherever it is mounted: a claim that says so, and what is made of objects."""
    volume: Obj = next((v for v in pod["spec"].get("volumes") or () if v["name"] == name), {})
    return any(k in volume for k in OBJECT_SOURCES) or bool((volume.get("persistentVolumeClaim") or {}).get("readOnly"))


def source_of(made: Mapping[str, Path], mount: Obj, sub_path: str) -> Path:
    """What is mounted: the volume or, with a subPath, something in it (made as a folder where it is not there)."""
    path = made[mount["name"]]
    if not sub_path:
        return path
    if ".." in Path(sub_path).parts or sub_path.startswith("/"):
        raise Refused(f"subPath {sub_path!r} must be relative and must not contain '..'")
    # Programs write into volumes: a link that they leave there must not lead out.
    inside, whole = (path / sub_path).resolve(), path.resolve()
    if not inside.is_relative_to(whole):
        raise Refused(f"subPath {sub_path!r} leads out of the volume: {inside} is not below {whole}")
    try:
        os.close(opened(str(whole), str(inside.relative_to(whole)), make=not inside.exists()))
    except OSError as e:
        raise Refused(f"subPath {sub_path!r} cannot be had: {e.strerror}: {e.filename}") from None
    return inside
