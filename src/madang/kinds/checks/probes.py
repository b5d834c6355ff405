"""Probes and lifecycle hooks of a container.

In: probe and lifecycle objects with their path, the pod's termination grace. Out: causes.
"""

from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import each, forbidden, invalid, not_negative, required, unsupported
from madang.kinds.names import header_name, port_name, port_number

_COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")


def check_probe(probe: dict[str, Any] | None, name: str, path: str, grace_s: int) -> list[Cause]:
    if probe is None:
        return []
    out = check_handler(probe, path, grace_s)
    for field in _COUNTS:
        out += not_negative(f"{path}.{field}", probe.get(field))
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        out.append(invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0"))
    if name == "readinessProbe":
        if grace is not None:
            words = "must not be set for readinessProbes"
            out.append(invalid(f"{path}.terminationGracePeriodSeconds", grace, words))
    elif probe.get("successThreshold", 1) != 1:
        out.append(invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1"))
    return out


def check_lifecycle(lifecycle: dict[str, Any] | None, path: str, grace_s: int) -> list[Cause]:
    out: list[Cause] = []
    for name in ("postStart", "preStop"):
        if (lifecycle or {}).get(name) is not None:
            assert lifecycle is not None
            out += check_handler(lifecycle[name], f"{path}.{name}", grace_s)
    return out


def check_handler(handler: dict[str, Any], path: str, grace_s: int) -> list[Cause]:
    """Exactly one way to act."""
    out: list[Cause] = []
    found = ""
    for name in _HANDLERS:
        action = handler.get(name)
        if action is None:
            continue
        here = f"{path}.{name}"
        if found:
            out.append(forbidden(here, "may not specify more than 1 handler type"))
            continue
        found = name
        out += _action(name, action, here, grace_s)
    return out if found else [required(path, "must specify a handler type")]


def _action(name: str, action: dict[str, Any], path: str, grace_s: int) -> list[Cause]:
    match name:
        case "exec":
            return [] if action.get("command") else [required(f"{path}.command")]
        case "httpGet":
            return _http(action, path)
        case "sleep":
            seconds = action.get("seconds", 0)
            if 0 <= seconds <= grace_s:
                return []
            words = f"must be non-negative and less than terminationGracePeriodSeconds ({grace_s})"
            return [invalid(path, seconds, words)]
    return check_port(action.get("port", 0), f"{path}.port")


def _http(action: dict[str, Any], path: str) -> list[Cause]:
    out = [] if action.get("path") else [required(f"{path}.path")]
    out += check_port(action.get("port", 0), f"{path}.port")
    if (scheme := action.get("scheme", "")) not in ("HTTP", "HTTPS"):
        out.append(unsupported(f"{path}.scheme", scheme, ("HTTP", "HTTPS")))
    for header in action.get("httpHeaders") or ():
        out += each(f"{path}.httpHeaders", header.get("name", ""), header_name(header.get("name", "")))
    return out


def check_port(port: int | str, path: str) -> list[Cause]:
    """A number, or a port's name."""
    return each(path, port, port_number(port) if isinstance(port, int) else port_name(port))
