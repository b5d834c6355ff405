"""The volumes of a pod: one source each, and what every source must say.

In: the `volumes` list with its path. Out: causes, and the names that containers may mount (those without a fault).
"""

from collections.abc import Callable
from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.claim_spec import check_claim_spec
from madang.kinds.checks.environment import FILE_FIELDS, check_field_ref, check_resource_ref
from madang.kinds.checks.faults import duplicate, each, forbidden, invalid, required, unsupported
from madang.kinds.checks.meta import check_template_meta
from madang.kinds.checks.resources import amount
from madang.kinds.names import dns_label

Volume = dict[str, Any]
_HOST_PATHS = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip


def check_volumes(volumes: list[Volume], path: str) -> tuple[list[Cause], frozenset[str]]:
    out: list[Cause] = []
    names: set[str] = set()
    for i, volume in enumerate(volumes):
        here = f"{path}[{i}]"
        name = volume.get("name", "")
        found = _source(volume, here)
        found += each(f"{here}.name", name, dns_label(name)) if name else [required(f"{here}.name")]
        if name in names:
            found.append(duplicate(f"{here}.name", name))
        if not found:
            names.add(name)
        out += found
    return out, frozenset(names)


def _source(volume: Volume, path: str) -> list[Cause]:
    out: list[Cause] = []
    found = False
    for name, check in _SOURCES:
        source = volume.get(name)
        if source is None:
            continue
        if found:
            out.append(forbidden(f"{path}.{name}", "may not specify more than 1 volume type"))
            continue
        found = True
        out += check(source, f"{path}.{name}")
    return out if found else [*out, required(path, "must specify a volume type")]


def check_volume_source(source: Volume, path: str) -> list[Cause]:
    """Of a PersistentVolume: its source stands in the spec itself."""
    local = source.get("local")
    found = [name for name in source if source[name] is not None]
    out: list[Cause] = []
    for at, name in enumerate(found):
        if at:
            out.append(forbidden(f"{path}.{name}", "may not specify more than 1 volume type"))
        elif name in _PERSISTENT:
            out += _PERSISTENT[name](source[name], f"{path}.{name}")
    if local is not None and found[0] == "local":
        target = local.get("path", "")
        out += _no_backsteps(target, f"{path}.local.path") if target else [required(f"{path}.local.path")]
    return out if found else [required(path, "must specify a volume type")]


def _needs(*fields: str) -> Callable[[Volume, str], list[Cause]]:
    def check(source: Volume, path: str) -> list[Cause]:
        return [required(f"{path}.{f}") for f in fields if source.get(f) in (None, "", [])]

    return check


def _empty_dir(source: Volume, path: str) -> list[Cause]:
    if source.get("sizeLimit") is not None and amount(source["sizeLimit"]).nanos < 0:
        return [forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")]
    return []


def _host_path(source: Volume, path: str) -> list[Cause]:
    target = source.get("path", "")
    if not target:
        return [required(f"{path}.path")]
    out = _no_backsteps(target, f"{path}.path")
    if (source.get("type") or "") not in _HOST_PATHS:
        out.append(unsupported(f"{path}.type", source["type"], _HOST_PATHS))
    return out


def _nfs(source: Volume, path: str) -> list[Cause]:
    out = _needs("server", "path")(source, path)
    target = source.get("path", "")
    if target and not target.startswith("/"):
        out.append(invalid(f"{path}.path", target, "must be an absolute path"))
    return out


def _secret(source: Volume, path: str) -> list[Cause]:
    out = [] if source.get("secretName") else [required(f"{path}.secretName")]
    return out + _mode(source.get("defaultMode"), f"{path}.defaultMode") + _items(source, path)


def _config_map(source: Volume, path: str) -> list[Cause]:
    out = [] if source.get("name") else [required(f"{path}.name")]
    return out + _mode(source.get("defaultMode"), f"{path}.defaultMode") + _items(source, path)


def _mode(mode: int | None, path: str) -> list[Cause]:
    if mode is None or 0 <= mode <= 0o777:
        return []
    return [invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive")]


def _items(source: Volume, path: str) -> list[Cause]:
    out: list[Cause] = []
    for i, item in enumerate(source.get("items") or ()):
        here = f"{path}.items[{i}]"
        if not item.get("key"):
            out.append(required(f"{here}.key"))
        out += _file_path(item, here)
        out += _mode(item.get("mode"), f"{here}.mode")
    return out


def _file_path(item: Volume, path: str) -> list[Cause]:
    """A file inside a volume: relative, inside, not a name that the kubelet keeps for itself."""
    target = item.get("path", "")
    out = [] if target else [required(f"{path}.path")]
    return out + _local(target, f"{path}.path")


def _local(target: str, path: str) -> list[Cause]:
    out = []
    if target.startswith("/"):
        out.append(invalid(path, target, "must be a relative path"))
    out += _no_backsteps(target, path)
    if target.startswith("..") and not out:
        out.append(invalid(path, target, "must not start with '..'"))
    return out


def _no_backsteps(target: str, path: str) -> list[Cause]:
    return [invalid(path, target, "must not contain '..'")] if ".." in target.split("/") else []


def check_sub_path(target: str, path: str) -> list[Cause]:
    out = [invalid(path, target, "must be a relative path")] if target.startswith("/") else []
    return out + _no_backsteps(target, path)


def _downward(source: Volume, path: str) -> list[Cause]:
    out = _mode(source.get("defaultMode"), f"{path}.defaultMode")
    for i, item in enumerate(source.get("items") or ()):
        # Without an index, as the API has it.
        out += _file_path(item, path) + _downward_item(item, path)
        out += _mode(item.get("mode"), f"{path}.items[{i}].mode")
    return out


def _downward_item(item: Volume, path: str) -> list[Cause]:
    field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
    if field is not None:
        out = check_field_ref(field, FILE_FIELDS, f"{path}.fieldRef")
        if resource is not None:
            words = "fieldRef and resourceFieldRef can not be specified simultaneously"
            out.append(invalid(path, "resource", words))
        return out
    if resource is not None:
        return check_resource_ref(resource, f"{path}.resourceFieldRef", volume=True)
    return [required(path, "one of fieldRef and resourceFieldRef is required")]


def _token(source: Volume, path: str) -> list[Cause]:
    out: list[Cause] = []
    seconds = source.get("expirationSeconds")
    if seconds is not None and seconds < 600:
        words = "may not specify a duration less than 10 minutes"
        out.append(invalid(f"{path}.expirationSeconds", seconds, words))
    elif seconds is not None and seconds > 1 << 32:
        words = "may not specify a duration larger than 2^32 seconds"
        out.append(invalid(f"{path}.expirationSeconds", seconds, words))
    return out if source.get("path") else [*out, required(f"{path}.path")]


def _named_items(source: Volume, path: str) -> list[Cause]:
    out = [] if source.get("name") else [required(f"{path}.name")]
    return out + _items(source, path)


_PROJECTIONS: dict[str, Callable[[Volume, str], list[Cause]]] = {
    "secret": _named_items,
    "configMap": _named_items,
    "downwardAPI": _downward,
    "serviceAccountToken": _token,
}


def _projected(source: Volume, path: str) -> list[Cause]:
    out = _mode(source.get("defaultMode"), f"{path}.defaultMode")
    for i, projection in enumerate(source.get("sources") or ()):
        here = f"{path}.sources[{i}]"
        found = [n for n in projection if projection[n] is not None]
        for at, name in enumerate(found):
            if at:
                out.append(forbidden(f"{here}.{name}", "may not specify more than 1 volume type"))
            elif check := _PROJECTIONS.get(name):
                out += check(projection[name], f"{here}.{name}")
        if not found:
            out.append(required(here, "must specify one volume source type"))
    return out


def _claim(source: Volume, path: str) -> list[Cause]:
    return [] if source.get("claimName") else [required(f"{path}.claimName")]


def _ephemeral(source: Volume, path: str) -> list[Cause]:
    template = source.get("volumeClaimTemplate")
    if not template:
        return [required(f"{path}.volumeClaimTemplate")]
    here = f"{path}.volumeClaimTemplate"
    out = check_template_meta(template.get("metadata") or {}, f"{here}.metadata")
    return out + check_claim_spec(template.get("spec") or {}, f"{here}.spec")


# In the order in which the API looks at them: the second one found is the one that is too many.
_SOURCES: tuple[tuple[str, Callable[[Volume, str], list[Cause]]], ...] = (
    ("emptyDir", _empty_dir),
    ("hostPath", _host_path),
    ("gitRepo", _needs("repository")),
    ("gcePersistentDisk", _needs("pdName")),
    ("awsElasticBlockStore", _needs("volumeID")),
    ("secret", _secret),
    ("nfs", _nfs),
    ("iscsi", _needs("targetPortal", "iqn")),
    ("glusterfs", _needs("endpoints", "path")),
    ("flocker", lambda source, path: []),
    ("persistentVolumeClaim", _claim),
    ("rbd", _needs("monitors", "image")),
    ("cinder", _needs("volumeID")),
    ("cephfs", _needs("monitors")),
    ("quobyte", _needs("registry", "volume")),
    ("downwardAPI", _downward),
    ("fc", lambda source, path: []),
    ("flexVolume", _needs("driver")),
    ("configMap", _config_map),
    ("azureFile", _needs("secretName", "shareName")),
    ("vsphereVolume", _needs("volumePath")),
    ("photonPersistentDisk", _needs("pdID")),
    ("portworxVolume", _needs("volumeID")),
    ("azureDisk", _needs("diskName", "diskURI")),
    ("storageos", _needs("volumeName")),
    ("projected", _projected),
    ("scaleIO", _needs("gateway", "system", "volumeName")),
    ("csi", _needs("driver")),
    ("ephemeral", _ephemeral),
    ("image", _needs("reference")),
)
# Sources of a PersistentVolume that are said as in a pod; of the others only that they are there is looked at.
_PERSISTENT: dict[str, Callable[[Volume, str], list[Cause]]] = {
    name: check for name, check in _SOURCES if name in ("hostPath", "nfs", "gcePersistentDisk", "csi")
}
