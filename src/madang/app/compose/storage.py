"""Volumes, tmpfs, configs, secrets and env files of a service.

In: a `Plan`. Out: a pod's volumes, its container's mounts, and the ConfigMaps and Secrets that hold what was read.
"""

import base64
import difflib
import hashlib
import posixpath
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from madang.app.compose import dotenv
from madang.app.compose.ground import Ground
from madang.app.compose.names import data_key, object_name
from madang.app.compose.plan import Plan
from madang.app.compose.volumes import bound, memory, named
from madang.app.document import shown
from madang.app.field import Field
from madang.ports.objects import Obj


@dataclass
class Storage:
    """`objects` are what the pods read; `digest` changes with their content, so that the pods change with it."""

    volumes: list[Obj] = field(default_factory=list)
    mounts: list[Obj] = field(default_factory=list)
    env_from: list[Obj] = field(default_factory=list)
    objects: list[Obj] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, source: Obj, target: str, read_only: bool = False, sub_path: str = "") -> None:
        known = next((v for v in self.volumes if {k: w for k, w in v.items() if k != "name"} == source), None)
        if known is None:
            known = {"name": f"volume-{len(self.volumes)}", **source}
            self.volumes.append(known)
        mount: Obj = {"name": known["name"], "mountPath": posixpath.normpath(target)}
        if read_only:
            mount["readOnly"] = True
        if sub_path:
            mount["subPath"] = sub_path
        self.mounts.append(mount)

    @property
    def version(self) -> str:
        return str(self.digest.hexdigest()[:12]) if self.objects else ""


def storage(plan: Plan) -> Storage:
    out = Storage()
    for one in plan.field["volumes"].each():
        volume(plan, one, out)
    for one in plan.field["tmpfs"].each():
        target, _, options = one.text().partition(":")
        out.add({"emptyDir": memory(options)}, target)
    for one in plan.field["configs"].each():
        mounted_file(plan, one, out, "configs")
    for one in plan.field["secrets"].each():
        mounted_file(plan, one, out, "secrets")
    scratch = plan.found.server.scratch if plan.found else ""
    if scratch and all(mount["mountPath"] != scratch for mount in out.mounts):
        out.add({"emptyDir": {}}, scratch)
    env_files(plan, out)
    return out


def volume(plan: Plan, one: Field, out: Storage) -> None:
    kind, target = one["type"].text("volume"), one["target"].text()
    if not target:
        one.fault("lacks target, the path inside")
        return
    if plan.found and target in plan.found.server.data and kind in ("bind", "volume"):
        return  # it is the server's data folder
    if kind in ("image", "cluster", "npipe"):
        one.fault(f"a volume of the type {kind} cannot be mounted here; allowed are volume, bind and tmpfs")
    elif kind == "tmpfs":
        size = one["tmpfs"]["size"].size_bytes()
        out.add({"emptyDir": {"medium": "Memory", **({"sizeLimit": str(size)} if size else {})}}, target)
    elif kind == "bind":
        out.add(bound(one), target, one["read_only"].truth(), "")
    elif "source" not in one:
        # The image's own files would be copied into it: where the source already stands there, it stays.
        if not any(target == place or target.startswith(place + "/") for place in own_places(plan)):
            out.add({"emptyDir": {}}, target)
    else:
        out.add(named(plan.ground, one), target, one["read_only"].truth(), one["volume"]["subpath"].text())


def own_places(plan: Plan) -> list[str]:
    if plan.stage is None:
        return []
    return [plan.stage.workdir, *(target.rstrip("/") for _, target in plan.stage.copies)]


def mounted_file(plan: Plan, one: Field, out: Storage, section: str) -> None:
    """One config or secret of the service as a file."""
    name = one["source"].text()
    of = plan.ground.project.root[section][name]
    content = content_of(plan.ground, of, one, section, name)
    if content is None:
        return
    default = f"/{name}" if section == "configs" else f"/run/secrets/{name}"
    target = one["target"].text(default)
    if not target.startswith("/"):
        target = posixpath.join("/run/secrets" if section == "secrets" else "/", target)
    key, held = data_key(name), f"{section[:-1]}-{object_name(name, 50)}"
    mode = file_mode(one["mode"], 0o444)
    if section == "configs":
        out.objects.append(config_map(held, key, content))
        source: Obj = {"configMap": {"name": held, "defaultMode": mode}}
    else:
        out.objects.append(secret(held, {key: content}))
        source = {"secret": {"secretName": held, "defaultMode": mode}}
    out.digest.update(content)
    out.add(source, target, True, key)


def file_mode(one: Field, default: int) -> int:
    if isinstance(one.value, str):
        try:
            return int(one.value, 8)
        except ValueError:
            one.expected("a file mode such as 0440")
            return default
    return one.whole(default, 0, 0o777)


def content_of(ground: Ground, of: Field, one: Field, section: str, name: str) -> bytes | None:
    if not of:
        known = ground.project.root[section].value or ()
        near = difflib.get_close_matches(name, known, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else f": add it under {section}:"
        one.fault(f'"{name}" is not declared{hint}')
    elif of["external"].truth():
        of["external"].fault(
            f"{name} lives outside of the file, and nothing here holds it: give file, environment or content"
        )
    elif "file" in of:
        try:
            return Path(of["file"].text()).read_bytes()
        except OSError as error:
            of["file"].fault(f"{shown(Path(of['file'].text()))}: {error.strerror}")
    elif "environment" in of:
        variable = of["environment"].text()
        if variable in ground.project.variables:
            return ground.project.variables[variable].encode()
        of["environment"].fault(f"the variable {variable} is not set")
    elif "content" in of:
        return of["content"].text().encode()
    else:
        of.fault("says nothing about its content: give file, environment or content")
    return None


def env_files(plan: Plan, out: Storage) -> None:
    """All of them as one Secret: such files are where passwords stand. A later one wins."""
    values: dict[str, bytes] = {}
    known = dict(plan.ground.project.variables)
    for one in plan.field["env_file"].each():
        path = Path(one["path"].text())
        try:
            text = path.read_text()
            plan.ground.project.sources.append(path)
            raw = one["format"].text() == "raw"
            read = dotenv.raw(text) if raw else dotenv.parse(text, known)
        except FileNotFoundError:
            if one["required"].truth(True):
                one.fault(f"{shown(path)} does not exist; `required: false` makes it optional")
            continue
        except (OSError, ValueError) as error:
            one.fault(f"{shown(path)}: {error}")
            continue
        except dotenv.DotenvError as error:
            one.fault(f"{shown(path)}:{error.line}: {error.message}")
            continue
        values |= {name: value.encode() for name, value in read.items() if value is not None}
    if values:
        held = f"{plan.name}-env"
        out.objects.append(secret(held, values))
        out.env_from.append({"secretRef": {"name": held}})
        out.digest.update(repr(sorted(values.items())).encode())


def config_map(name: str, key: str, content: bytes) -> Obj:
    made: Obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    try:
        made["data"] = {key: content.decode()}
    except UnicodeDecodeError:
        made["binaryData"] = {key: base64.b64encode(content).decode()}
    return made


def secret(name: str, values: dict[str, bytes]) -> Obj:
    data = {key: base64.b64encode(value).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque", "data": data}
