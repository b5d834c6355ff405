"""Kubernetes manifests: files, folders, several documents, List kinds.

In: files. Out: an `Application` whose objects keep their namespaces; those that name none go into the project's, which
is `default`. Everything is read before anything is applied, and every fault has its file and line.
"""

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from madang.app.application import PROJECT, Application, ApplicationError, LoadOptions
from madang.app.choice import HOST
from madang.app.compose.names import object_name
from madang.app.document import DocumentError, Map, Mark, plain, read_file
from madang.app.order import group
from madang.kinds import table
from madang.ports.objects import Obj
from madang.ports.settings import RUNTIME

WORKLOADS = ("Deployment", "Job")


def read_manifests(files: Sequence[Path], options: LoadOptions) -> Application:
    faults: list[str] = []
    seen: dict[tuple[str, str, str], Mark] = {}
    objects: list[Obj] = []
    places: dict[tuple[str, str, str], str] = {}
    folder = project_folder(files)
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:6]  # there are many folders called `k8s`
    project = options.project or object_name(folder.name)
    label = options.project or f"{object_name(folder.name, 50)}-{digest}"
    for path in files:
        try:
            documents = read_file(path)
        except DocumentError as error:
            faults.append(str(error))
            continue
        for document in documents:
            for one in items(document, str(path), faults):
                if (obj := checked(one, label, seen, faults)) is not None:
                    objects.append(as_programs(obj) if options.runtime == HOST else obj)
                    meta = obj["metadata"]
                    places[obj["kind"], meta.get("namespace", ""), meta["name"]] = str(one.mark)
    if not objects and not faults:
        faults.append(f"{files[0]}: there is no object in it")
    if faults:
        raise ApplicationError(faults)
    objects = sorted(objects, key=group)
    workloads = [o for o in objects if o["kind"] in (*WORKLOADS, "Pod") and "name" in o["metadata"]]
    home = workloads[0]["metadata"]["namespace"] if workloads else "default"
    return Application(
        name=project,
        namespace=home,
        objects=objects,
        services=[o["metadata"]["name"] for o in workloads if o["metadata"]["namespace"] == home],
        sources=list(files),
        places=places,
        options=options,
    )


def project_folder(files: Sequence[Path]) -> Path:
    first = files[0].resolve()
    return first.with_suffix("") if len(files) == 1 else first.parent


def items(document: object, file: str, faults: list[str]) -> Iterator[Map]:
    """The document itself, or what a List holds."""
    if not isinstance(document, Map):
        faults.append(f"{file}: expected an object with apiVersion and kind, found another thing")
    elif str(document.get("kind", "")).endswith("List") and isinstance(document.get("items"), list):
        for one in document["items"]:
            yield from items(one, file, faults)
    else:
        yield document


def checked(one: Map, label: str, seen: dict[tuple[str, str, str], Mark], faults: list[str]) -> Obj | None:
    """With its namespace and the project's label; None after a fault."""
    mark, obj = one.mark, plain(one)
    served = table.by_object(obj) if obj.get("apiVersion") and obj.get("kind") else None
    if served is None:
        faults.append(f"{mark}: {unknown(obj)}")
        return None
    meta = obj.get("metadata")
    if not isinstance(meta, dict) or not isinstance(meta.get("name"), str):
        faults.append(f"{mark}: {obj['kind']}: metadata.name: is required")
        return None
    meta = {**meta, "labels": {**(meta.get("labels") or {}), PROJECT: label}}
    if served.kind.namespaced:
        meta.setdefault("namespace", "default")
    key = (served.id, meta.get("namespace", ""), meta["name"])
    if key in seen:
        faults.append(f"{mark}: {obj['kind']} {meta['name']} stands in {seen[key]} already")
        return None
    seen[key] = mark
    return {**obj, "metadata": meta}


def as_programs(obj: Obj) -> Obj:
    """With the word that keeps its pods out of containers, where no class of runtime is named."""
    if obj["kind"] == "Pod":
        notes = {RUNTIME: HOST, **(obj["metadata"].get("annotations") or {})}
        return {**obj, "metadata": {**obj["metadata"], "annotations": notes}}
    template = (obj.get("spec") or {}).get("template") if obj["kind"] in WORKLOADS else None
    if not isinstance(template, dict):
        return obj
    pod = as_programs({"kind": "Pod", **template, "metadata": template.get("metadata") or {}})
    return {**obj, "spec": {**obj["spec"], "template": {k: v for k, v in pod.items() if k != "kind"}}}


def unknown(obj: Obj) -> str:
    for key in ("apiVersion", "kind"):
        if not obj.get(key):
            return f"{key}: is required, so that one knows what the object is"
    kinds = {s.kind.kind: s for s in table.SERVED}
    said = f"no such kind here: {obj['apiVersion']} {obj['kind']}"
    if obj["kind"] in kinds:
        return f"{said}; {obj['kind']} is served as {kinds[obj['kind']].api_version}"
    near = difflib.get_close_matches(str(obj["kind"]), kinds, n=1)
    if near:
        return f"{said}; did you mean {near[0]}?"
    return f"{said}; docs/compatibility.md lists those that are, `madang kubectl api-resources` too: leave it out"
