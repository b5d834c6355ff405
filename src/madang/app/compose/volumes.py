"""What a volume is for a pod: a folder of the user's, a folder of the courtyard that outlives everything but
`down --purge`, or memory.

In: a volume as a service or the file's top names it. Out: the source of a Kubernetes volume. Faults go to the project.
"""

import difflib
from pathlib import Path

from madang.app.compose.ground import Ground
from madang.app.compose.names import data_key
from madang.app.document import NOWHERE, shown
from madang.app.field import Field
from madang.ports.objects import Obj


def bound(one: Field) -> Obj:
    source = Path(one["source"].text())
    if source.exists():
        return {"hostPath": {"path": str(source)}}
    if not one["bind"]["create_host_path"].truth(True):
        one["source"].fault(f"{shown(source)} does not exist")
    return {"hostPath": {"path": str(source), "type": "DirectoryOrCreate"}}


def named(ground: Ground, one: Field) -> Obj:
    name, top = one["source"].text(), ground.project.root["volumes"]
    if not isinstance(top.value, dict) or name not in top.value:
        near = difflib.get_close_matches(name, top.value or (), n=1)
        hint = f'; did you mean "{near[0]}"?' if near else f": add it under volumes:, or write ./{name} for a folder"
        one.fault(f'the volume "{name}" is not declared{hint}')
        return {"emptyDir": {}}
    of = top[name]
    options = of["driver_opts"]
    if "bind" in options["o"].text().split(",") and "device" in options:
        device = Path(ground.project.directory / options["device"].text())
        return {"hostPath": {"path": str(device), "type": "DirectoryOrCreate"}}
    if options["type"].text() == "tmpfs":
        return {"emptyDir": memory(options["o"].text())}
    if of["driver"].text("local") != "local":
        ground.warn(of["driver"], f'the driver "{of["driver"].text()}" is not here; a folder of this machine is used')
    return {"hostPath": {"path": str(folder(ground, name)), "type": "DirectoryOrCreate"}}


def folder(ground: Ground, name: str) -> Path:
    """An external volume, or one with a name of its own, is shared by all projects of the courtyard."""
    of = ground.project.root["volumes"][name]
    top = ground.options.home / "volumes"
    if of["external"].truth():
        ground.warn(of["external"], f"is kept in {top}; the volume of that name in another tool is not read")
    if "name" in of or of["external"].truth():
        return top / "_shared" / data_key(of["name"].text(name))
    return top / ground.namespace / data_key(name)


def memory(options: str) -> Obj:
    size = dict(part.partition("=")[::2] for part in options.split(",")).get("size", "")
    made = Field(size or None, "", NOWHERE, []).size_bytes()
    return {"medium": "Memory", **({"sizeLimit": str(made)} if made else {})}
