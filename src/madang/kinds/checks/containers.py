"""The containers of a pod: ordinary ones, those that run before, and those that run beside (sidecars).

In: the lists with their path, the volumes that may be mounted. Out: causes.
"""

from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.environment import check_env, check_env_from
from madang.kinds.checks.faults import duplicate, each, forbidden, invalid, not_found, one_of, required, unsupported
from madang.kinds.checks.probes import check_lifecycle, check_probe
from madang.kinds.checks.resources import check_resources
from madang.kinds.checks.security import check_container_security
from madang.kinds.checks.volumes import check_sub_path
from madang.kinds.names import dns_label, ip_address, port_name, port_number

Container = dict[str, Any]
PROTOCOLS = ("SCTP", "TCP", "UDP")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def check_containers(
    containers: list[Container], volumes: frozenset[str], claims: frozenset[str], grace_s: int, path: str
) -> list[Cause]:
    if not containers:
        return [required(path)]
    out: list[Cause] = []
    names: set[str] = set()
    for i, container in enumerate(containers):
        here = f"{path}[{i}]"
        out += _common(container, volumes, claims, here)
        out += _unique(container, names, here)
        out += check_lifecycle(container.get("lifecycle"), f"{here}.lifecycle", grace_s)
        for probe in _PROBES:
            out += check_probe(container.get(probe), probe, f"{here}.{probe}", grace_s)
        out += _restart(container, here)
    return out + _host_ports(containers, path)


def check_init_containers(
    containers: list[Container],
    mains: list[Container],
    volumes: frozenset[str],
    claims: frozenset[str],
    grace_s: int,
    path: str,
) -> list[Cause]:
    out: list[Cause] = []
    names = {c.get("name", "") for c in mains}
    for i, container in enumerate(containers):
        here = f"{path}[{i}]"
        out += _common(container, volumes, claims, here)
        out += _unique(container, names, here)
        sidecar = container.get("restartPolicy") == "Always"
        if sidecar:
            out += check_lifecycle(container.get("lifecycle"), f"{here}.lifecycle", grace_s)
            for probe in _PROBES:
                out += check_probe(container.get(probe), probe, f"{here}.{probe}", grace_s)
        else:
            words = "may not be set for init containers without restartPolicy=Always"
            out += [forbidden(f"{here}.{f}", words) for f in ("lifecycle", *_PROBES) if container.get(f) is not None]
        out += _restart(container, here)
        out += _host_ports([container], path)
    return out


def _restart(container: Container, path: str) -> list[Cause]:
    allowed = ("Always", "OnFailure", "Never")
    return one_of(f"{path}.restartPolicy", container.get("restartPolicy"), allowed, needed=False)


def _unique(container: Container, names: set[str], path: str) -> list[Cause]:
    name = container.get("name", "")
    if name in names:
        return [duplicate(f"{path}.name", name)]
    if name:
        names.add(name)
    return []


def _common(container: Container, volumes: frozenset[str], claims: frozenset[str], path: str) -> list[Cause]:
    get = container.get
    name, image = get("name", ""), get("image", "")
    out = each(f"{path}.name", name, dns_label(name)) if name else [required(f"{path}.name")]
    if not image:
        out.append(required(f"{path}.image"))
    elif image != image.strip():
        out.append(invalid(f"{path}.image", image, "must not have leading or trailing whitespace"))
    out += one_of(
        f"{path}.terminationMessagePolicy", get("terminationMessagePolicy"), ("FallbackToLogsOnError", "File")
    )
    if ports := get("ports"):
        out += _ports(ports, f"{path}.ports")
    if env := get("env"):
        out += check_env(env, f"{path}.env")
    if env_from := get("envFrom"):
        out += check_env_from(env_from, f"{path}.envFrom")
    if mounts := get("volumeMounts"):
        out += _mounts(mounts, get("volumeDevices") or [], volumes, f"{path}.volumeMounts")
    if devices := get("volumeDevices"):
        out += _devices(devices, volumes, f"{path}.volumeDevices")
    out += one_of(f"{path}.imagePullPolicy", get("imagePullPolicy"), PULL_POLICIES)
    out += check_resources(get("resources"), f"{path}.resources", claims)
    out += _resize(get("resizePolicy") or [], f"{path}.resizePolicy")
    return out + check_container_security(get("securityContext"), f"{path}.securityContext")


def _ports(ports: list[dict[str, Any]], path: str) -> list[Cause]:
    out: list[Cause] = []
    names: set[str] = set()
    for i, port in enumerate(ports):
        here = f"{path}[{i}]"
        if name := port.get("name"):
            if faults := port_name(name):
                out += each(f"{here}.name", name, faults)
            elif name in names:
                out.append(duplicate(f"{here}.name", name))
            names.add(name)
        number = port.get("containerPort", 0)
        out += each(f"{here}.containerPort", number, port_number(number)) if number else [
            required(f"{here}.containerPort")
        ]  # fmt: skip
        if host := port.get("hostPort"):
            out += each(f"{here}.hostPort", host, port_number(host))
        out += one_of(f"{here}.protocol", port.get("protocol"), PROTOCOLS)
        if address := port.get("hostIP"):
            out += each(f"{here}.hostIP", address, ip_address(address))
    return out


def _host_ports(containers: list[Container], path: str) -> list[Cause]:
    out: list[Cause] = []
    taken: set[str] = set()
    for i, container in enumerate(containers):
        for j, port in enumerate(container.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            claim = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if claim in taken:
                out.append(duplicate(f"{path}[{i}].ports[{j}].hostPort", claim))
            taken.add(claim)
    return out


def _mounts(
    mounts: list[dict[str, Any]], devices: list[dict[str, Any]], volumes: frozenset[str], path: str
) -> list[Cause]:
    out: list[Cause] = []
    seen: set[str] = set()
    raw, raw_paths = {d.get("name") for d in devices}, {d.get("devicePath") for d in devices}
    for i, mount in enumerate(mounts):
        here = f"{path}[{i}]"
        name, target = mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            out.append(required(f"{here}.name"))
        if name not in volumes:
            out.append(not_found(f"{here}.name", name))
        if not target:
            out.append(required(f"{here}.mountPath"))
        if target in seen:
            out.append(invalid(f"{here}.mountPath", target, "must be unique"))
        seen.add(target)
        if name in raw:
            out.append(invalid(f"{here}.name", name, "must not already exist in volumeDevices"))
        if target in raw_paths:
            out.append(invalid(f"{here}.mountPath", target, "must not already exist as a path in volumeDevices"))
        out += _sub_paths(mount, path, here)
        allowed = ("Bidirectional", "HostToContainer", "None")
        out += one_of(f"{here}.mountPropagation", mount.get("mountPropagation"), allowed, needed=False)
    return out


def _sub_paths(mount: dict[str, Any], path: str, here: str) -> list[Cause]:
    out: list[Cause] = []
    # Without an index, as the API has it.
    if sub := mount.get("subPath"):
        out += check_sub_path(sub, f"{path}.subPath")
    if expression := mount.get("subPathExpr"):
        if sub:
            words = "subPathExpr and subPath are mutually exclusive"
            out.append(invalid(f"{here}.subPathExpr", expression, words))
        out += check_sub_path(expression, f"{path}.subPathExpr")
    return out


def _devices(devices: list[dict[str, Any]], volumes: frozenset[str], path: str) -> list[Cause]:
    out: list[Cause] = []
    for i, device in enumerate(devices):
        here = f"{path}[{i}]"
        name = device.get("name", "")
        if not name:
            out.append(required(f"{here}.name"))
        if name not in volumes:
            out.append(not_found(f"{here}.name", name))
        if not device.get("devicePath"):
            out.append(required(f"{here}.devicePath"))
    return out


def _resize(policies: list[dict[str, Any]], path: str) -> list[Cause]:
    out: list[Cause] = []
    seen: set[str] = set()
    for i, policy in enumerate(policies):
        name = policy.get("resourceName", "")
        if name in seen:
            out.append(duplicate(f"{path}[{i}]", name))
        seen.add(name)
        if name not in ("cpu", "memory"):
            out.append(unsupported(path, name, ("cpu", "memory")))
        out += one_of(path, policy.get("restartPolicy"), ("NotRequired", "RestartContainer"))
    return out
