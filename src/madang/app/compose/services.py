"""How a service is reached: a Service for its names, one for its published ports, routes of the front door.

In: a `Plan`. Out: Services and an HTTPRoute. Every service has a Service, so that its name always resolves; one that
names no port gets a headless one, whose name leads to the instances themselves.
"""

import difflib
import hashlib
import json
from collections.abc import Sequence

from madang.app.compose.container import container_ports, port_name
from madang.app.compose.plan import Plan
from madang.app.field import Field
from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN

OWN_KEYS = ("route", "runtime", "scale")
ROUTE_KEYS = ("host", "path", "port")
OTHER_ADDRESSES = ("", "0.0.0.0", "127.0.0.1", "::", "::1", "localhost")


def services(plan: Plan, probes: Obj) -> list[Obj]:
    ports = [
        {"name": port_name(n, p), "port": n, "targetPort": plan.opened(n), "protocol": p, **app_protocol(plan, n)}
        for n, p in container_ports(plan)
    ]
    annotations = {}
    if names := aliases(plan):
        annotations[f"{DOMAIN}/aliases"] = ",".join(names)
    if knows_http(plan, probes, len(ports)):
        annotations[f"{DOMAIN}/protocol"] = "http"
    spec: Obj = {"selector": selector(plan)}
    if ports:
        spec["ports"] = ports
    else:
        spec["clusterIP"] = "None"
    out = [made(plan, plan.name, spec, annotations)]
    if published := published_ports(plan):
        keep = {k: v for k, v in annotations.items() if k.endswith("/protocol")}
        out.append(
            made(
                plan,
                f"{plan.name}-published",
                {
                    "type": "LoadBalancer",
                    "allocateLoadBalancerNodePorts": False,
                    "selector": selector(plan),
                    "ports": published,
                },
                keep,
            )
        )
    return out


def made(plan: Plan, name: str, spec: Obj, annotations: Obj) -> Obj:
    meta: Obj = {"name": name, "labels": dict(plan.labels)}
    if annotations:
        meta["annotations"] = annotations
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def selector(plan: Plan) -> dict[str, str]:
    return {k: plan.labels[k] for k in (f"{DOMAIN}/project", f"{DOMAIN}/service")}


def app_protocol(plan: Plan, number: int) -> Obj:
    for port in plan.field["ports"].each():
        if port["target"].whole() == number and "app_protocol" in port:
            return {"appProtocol": port["app_protocol"].text()}
    if plan.found and plan.found.server.protocol and number == plan.found.server.ports[0]:
        return {"appProtocol": plan.found.server.protocol}
    return {}


def aliases(plan: Plan) -> list[str]:
    """Every other name under which the service is known to its peers."""
    found = [plan.service, plan.field["container_name"].text()]
    for _, network in plan.field["networks"].items():
        found += network["aliases"].texts() if network else []
    for _, other in plan.ground.project.root["services"].items():
        for link in other["links"].each():
            target, _, alias = link.text().partition(":")
            if target == plan.service and alias:
                found.append(alias)
            elif target not in plan.ground.names:
                link.fault(f'there is no service "{target}"')
    return [a for a in dict.fromkeys(found) if a and a != plan.name]


def knows_http(plan: Plan, probes: Obj, ports: int) -> bool:
    """Only where it is certain of the only port; elsewhere the gateway looks at the first bytes."""
    checked = probes.get("readinessProbe", {}).get("httpGet", {}).get("scheme") == "HTTP"
    return ports == 1 and (checked or bool(plan.field["x-madang"]["route"]))


def published_ports(plan: Plan) -> list[Obj]:
    out = []
    for port in plan.field["ports"].each():
        if port["host_ip"].text() not in OTHER_ADDRESSES:
            plan.ground.warn(port, f"is opened where the courtyard listens (--listen), not on {port['host_ip'].text()}")
        inside, protocol = port["target"].whole(), port["protocol"].text("tcp").upper()
        outside = port["published"].whole() or chosen(plan, inside)
        entry = {
            "name": port_name(outside, protocol), "port": outside, "targetPort": plan.opened(inside),
            "protocol": protocol, **app_protocol(plan, inside),
        }  # fmt: skip
        if entry not in out:
            out.append(entry)
    return out


def chosen(plan: Plan, inside: int) -> int:
    """A port nobody chose: the same at each start, and below what the kernel gives to clients."""
    text = f"{plan.ground.namespace}/{plan.name}/{inside}"
    return 20000 + int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % 8000


def routes(plan: Plan) -> list[Obj]:
    """`x-madang: {route: {host, path, port}}`, one or a list."""
    own = plan.field["x-madang"]
    unknown(own, OWN_KEYS)
    rules, hosts = [], []
    for route in own["route"].each() if isinstance(own["route"].value, list) else [own["route"]]:
        if not route:
            continue
        unknown(route, ROUTE_KEYS)
        if not isinstance(route.value, dict):
            route.expected("a mapping such as {host: shop.localhost, path: /}")
            continue
        ports = [n for n, p in container_ports(plan) if p == "TCP"]
        port = route["port"].whole(ports[0] if ports else 0, 1, 65535)
        if not port:
            route.fault("leads to a service without a known port: add port, or expose to the service")
            continue
        path = route["path"].text("/")
        if not path.startswith("/"):
            route["path"].fault(f'a path begins with /, found "{path}"')
        host = route["host"].text()
        hosts.append(host)
        rules.append((host, path, port))
    return [route_object(plan, host, [r for r in rules if r[0] == host]) for host in dict.fromkeys(hosts)]


def route_object(plan: Plan, host: str, rules: Sequence[tuple[str, str, int]]) -> Obj:
    spec: Obj = {
        "parentRefs": [{"name": "madang", "namespace": "kube-system"}],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": path}}],
                "backendRefs": [{"name": plan.name, "port": port}],
            }
            for _, path, port in rules
        ],
    }
    if host:
        spec["hostnames"] = [host]
    suffix = (
        f"-{hashlib.sha256(host.encode()).hexdigest()[:6]}"
        if isinstance(plan.field["x-madang"]["route"].value, list)
        else ""
    )
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": plan.name + suffix, "labels": dict(plan.labels)},
        "spec": spec,
    }


def unknown(of: Field, allowed: Sequence[str]) -> None:
    for key, one in of.items() if isinstance(of.value, dict) else ():
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1)
            hint = f"did you mean {json.dumps(near[0])}?" if near else f"allowed are {', '.join(allowed)}"
            one.fault(f'unknown key "{key}"; {hint}')
