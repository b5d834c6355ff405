"""What runs a service: a Deployment or a Job with its pod template, and a HorizontalPodAutoscaler where asked.

In: a `Plan`, its storage and probes. Out: the objects. A service that is awaited for completion, or says
`restart: "no"`, is a Job. `depends_on` is a scheduling gate with what it waits for in an annotation.
"""

import json
import math
import re

from madang.app.application import MADE_FROM
from madang.app.compose.container import container
from madang.app.compose.plan import COMPLETED, Plan
from madang.app.compose.services import selector, unknown
from madang.app.compose.storage import Storage
from madang.app.field import Field
from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN

GATE = f"{DOMAIN}/depends-on"
CONDITIONS = {"service_started": "started", "service_healthy": "healthy", COMPLETED: "completed"}
KEY = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


def workload(plan: Plan, held: Storage, probes: Obj) -> list[Obj]:
    template = pod_template(plan, held, probes)
    if plan.ends:
        return [job(plan, template)]
    made = deployment(plan, template)
    return [made, *autoscaler(plan, made)]


def pod_template(plan: Plan, held: Storage, probes: Obj) -> Obj:
    main = {**container(plan), **probes}
    if held.mounts:
        main["volumeMounts"] = held.mounts
    if held.env_from:
        main["envFrom"] = held.env_from
    spec: Obj = {"containers": [main], **pod_fields(plan)}
    if held.volumes:
        spec["volumes"] = held.volumes
    if "stopSignal" in main.get("lifecycle", {}):
        spec["os"] = {"name": "linux"}  # the API takes a signal only where it knows whose it is
    annotations = own_annotations(plan, plan.field["labels"]) | own_annotations(plan, plan.field["annotations"])
    if held.version:
        annotations[f"{DOMAIN}/files"] = held.version
    if unsure(plan):
        annotations[f"{DOMAIN}/listens"] = "maybe"
    if waits := dependencies(plan):
        annotations[GATE] = json.dumps(waits, separators=(",", ":"))
        spec["schedulingGates"] = [{"name": GATE}]
    meta: Obj = {"labels": dict(plan.labels)}
    if annotations:
        meta["annotations"] = annotations
    return {"metadata": meta, "spec": spec}


def unsure(plan: Plan) -> bool:
    """Whether its only ports are the Dockerfile's and its command another: a worker made of a server's folder, say."""
    one = plan.field
    other = "command" in one or "entrypoint" in one
    return bool(other and plan.stage and plan.stage.ports and not any(one[k] for k in ("ports", "expose", "x-madang")))


def pod_fields(plan: Plan) -> Obj:
    one = plan.field
    out: Obj = {"terminationGracePeriodSeconds": math.ceil(one["stop_grace_period"].seconds(10.0))}
    if host := one["hostname"].text():
        if re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", host):
            out["hostname"] = host
        else:
            plan.ground.warn(
                one["hostname"], f'"{host}" cannot be a hostname in Kubernetes; the instance keeps its own'
            )
    names: dict[str, list[str]] = {}
    for name, addresses in one["extra_hosts"].items():
        for address in addresses.texts():
            names.setdefault(address, []).append(name)
    if names:
        out["hostAliases"] = [{"ip": ip, "hostnames": hosts} for ip, hosts in names.items()]
    out |= resolver(one)
    chosen = node_selector(plan)
    if chosen:
        out["nodeSelector"] = chosen
    return out


def resolver(one: Field) -> Obj:
    """As Docker has it, servers that are named answer everything but the names of services, which stand in the hosts
    file; the search domain `.` is none."""
    servers = one["dns"].texts()
    search = [domain for domain in one["dns_search"].texts() if domain != "."]
    options = [text.partition(":") for text in one["dns_opt"].texts()]
    words = [{"name": name, "value": value} if value else {"name": name} for name, _, value in options]
    config = {"nameservers": servers, "searches": search, "options": words}
    if not any(config.values()):
        return {}
    policy = {"dnsPolicy": "None"} if servers else {}
    return {**policy, "dnsConfig": {key: value for key, value in config.items() if value}}


def node_selector(plan: Plan) -> dict[str, str]:
    out = {}
    for one in plan.field["deploy"]["placement"]["constraints"].each():
        matched = re.fullmatch(r"node\.labels\.(\S+?)\s*==\s*(\S+)", one.text())
        if matched:
            out[matched[1]] = matched[2]
        else:
            plan.ground.warn(one, "is not honoured: only node.labels.NAME == VALUE can be asked for here")
    return out


def own_annotations(plan: Plan, labels: Field) -> dict[str, str]:
    """Compose's labels may hold any text: in Kubernetes that is an annotation."""
    out = {}
    for key, value in labels.items():
        if KEY.fullmatch(key):
            out[key] = value.text()
        else:
            plan.ground.warn(value, "is left out: no such name can stand in Kubernetes")
    return out


def dependencies(plan: Plan) -> list[dict[str, str]]:
    out = {}
    names = plan.ground.names
    for one in plan.field["links"].each():
        if (target := one.text().partition(":")[0]) in names:
            out[target] = "started"
    for name, how in plan.field["depends_on"].items():
        if name in names:
            out[name] = CONDITIONS.get(how["condition"].text("service_started"), "started")
        elif how["required"].truth(True):
            where = plan.ground.project.left_out.get(name)
            how.fault(
                f'the service "{name}" is only there with --profile {where[0]}' if where
                else f'there is no service "{name}"; there are {", ".join(names)}'
            )  # fmt: skip
    return [{"service": names[name], "condition": condition} for name, condition in out.items()]


def replicas(plan: Plan) -> int:
    scale = plan.field["x-madang"]["scale"]
    count = plan.field["deploy"]["replicas"].whole(plan.field["scale"].whole(1))
    return max(count, scale["min"].whole(1)) if scale else count


def deployment(plan: Plan, template: Obj) -> Obj:
    spec: Obj = {"replicas": replicas(plan), "selector": {"matchLabels": selector(plan)}, "strategy": strategy(plan)}
    if monitor := plan.field["deploy"]["update_config"]["monitor"]:
        spec["minReadySeconds"] = math.ceil(monitor.seconds())
    meta: Obj = {"name": plan.name, "labels": dict(plan.labels)}
    if annotations := own_annotations(plan, plan.field["deploy"]["labels"]):
        meta["annotations"] = annotations
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {**spec, "template": template}}


def strategy(plan: Plan) -> Obj:
    """Compose stops the old instance first only where it is told to, or where two would fight over their data."""
    update = plan.field["deploy"]["update_config"]
    if plan.found is not None and plan.found.server.data:
        return {"type": "Recreate"}
    width: int | str = update["parallelism"].whole(1) or "100%"
    if update["order"].text("start-first") == "stop-first":
        return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": width}}
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": width, "maxUnavailable": 0}}


def job(plan: Plan, template: Obj) -> Obj:
    """A Job cannot be changed: a fingerprint tells whether it must be made anew."""
    import hashlib

    again = plan.field["restart"].text("no")
    policy = plan.field["deploy"]["restart_policy"]
    tries = 0
    if again != "no" or policy["condition"].text("none") != "none":
        count = again.partition(":")[2]
        tries = policy["max_attempts"].whole(int(count) if count.isdigit() else 6)
    template["spec"]["restartPolicy"] = "OnFailure" if tries else "Never"
    many = plan.field["deploy"]["replicas"].whole(1)
    spec: Obj = {"backoffLimit": tries, "template": template}
    if many > 1:
        spec |= {"completions": many, "parallelism": many}
    digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]
    meta: Obj = {"name": plan.name, "labels": dict(plan.labels), "annotations": {MADE_FROM: digest}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec}


def autoscaler(plan: Plan, deployment: Obj) -> list[Obj]:
    """`x-madang: {scale: {min, max, cpu}}`. The share is of what is reserved, else of the limit, else of one core."""
    scale = plan.field["x-madang"]["scale"]
    if not scale:
        return []
    unknown(scale, ("min", "max", "cpu"))
    least = scale["min"].whole(1, 1)
    most = scale["max"].whole(max(least, 10), 1)
    if most < least:
        scale["max"].fault(f"must be at least min, {least}; found {most}")
    matched = re.fullmatch(r"(\d+)\s*%?", scale["cpu"].text("70%"))
    if matched is None or not int(matched[1]):
        scale["cpu"].expected("a percentage such as 70%")
        return []
    resources = deployment["spec"]["template"]["spec"]["containers"][0].get("resources", {})
    reserved = resources.get("requests", {}).get("cpu", "0")
    if reserved != "0":
        target: Obj = {"type": "Utilization", "averageUtilization": int(matched[1])}
    else:
        millis = int(resources.get("limits", {}).get("cpu", "1000m").rstrip("m"))
        target = {"type": "AverageValue", "averageValue": f"{max(1, millis * int(matched[1]) // 100)}m"}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": plan.name},
        "minReplicas": least,
        "maxReplicas": most,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    meta = {"name": plan.name, "labels": dict(plan.labels)}
    return [{"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta, "spec": spec}]
