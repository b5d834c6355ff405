"""The number under which a Service's port is reached: annotation `madang.dev/ports`, where addresses share ports."""

import json

from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN


def service_port(service: Obj, port: Obj) -> int:
    """The number under which a Service's port is reached: its own, or the one that loopback gave it."""
    text = (service["metadata"].get("annotations") or {}).get(f"{DOMAIN}/ports")
    if text:
        mapped = json.loads(text).get(f"{port['port']}/{port.get('protocol', 'TCP')}")
        if mapped:
            return int(mapped)
    return int(port["port"])
