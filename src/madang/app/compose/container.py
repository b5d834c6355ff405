"""A service's container: command, environment, ports, user, resources.

In: a `Plan`. Out: the container of a pod template, without volumes and probes. `$(` is doubled where it stands in a
value, since Kubernetes would read it as a reference and Compose does not.
"""

import math
import os
import pwd
import re
from typing import Any

from madang.app.compose.plan import Plan
from madang.app.compose.probes import asked_port
from madang.app.compose.pulling import pull_policy
from madang.app.field import Field
from madang.ports.objects import Obj


def container(plan: Plan) -> Obj:
    out: Obj = {"name": plan.name, "image": plan.image, "imagePullPolicy": pull_policy(plan.field)}
    out["terminationMessagePolicy"] = "FallbackToLogsOnError"  # why it failed, where people look first
    one = plan.field
    out |= command(plan)
    if "working_dir" in one:
        out["workingDir"] = one["working_dir"].text()
    if env := environment(plan):
        out["env"] = env
    if ports := container_ports(plan):
        out["ports"] = [{"name": port_name(n, p), "containerPort": plan.opened(n), "protocol": p} for n, p in ports]
    if resources := resources_of(plan):
        out["resources"] = resources
    if security := security_context(plan):
        out["securityContext"] = security
    if life := lifecycle(plan):
        out["lifecycle"] = life
    for theirs, ours in (("tty", "tty"), ("stdin_open", "stdin")):
        if one[theirs].truth():
            out[ours] = True
    return out


def command(plan: Plan) -> Obj:
    """An entrypoint also takes away the image's own command; an empty one leaves only the command."""
    words = [literal(w) for w in plan.field["command"].texts()]
    if "entrypoint" not in plan.field:
        return {"args": words} if words else {}
    entry = [literal(w) for w in plan.field["entrypoint"].texts()]
    if entry:
        return {"command": entry, **({"args": words} if words else {})}
    words = words or [literal(w) for w in (plan.stage.command if plan.stage else ())]
    return {"command": words} if words else {}


def literal(text: str) -> str:
    return text.replace("$", "$$") if "$(" in text or "$$" in text else text


def environment(plan: Plan) -> list[Obj]:
    """A name without a value is taken from the environment of who starts, where it is set."""
    out = []
    for name, value in plan.field["environment"].items():
        if value.value is not None:
            out.append({"name": name, "value": literal(value.text())})
        elif name in plan.ground.project.variables:
            out.append({"name": name, "value": literal(plan.ground.project.variables[name])})
    return out


def container_ports(plan: Plan) -> list[tuple[int, str]]:
    """Published ones first: the first is what a program hears as PORT."""
    found: dict[tuple[int, str], None] = {}
    for port in plan.field["ports"].each():
        found[port["target"].whole(), port["protocol"].text("tcp").upper()] = None
    for entry in plan.field["expose"].each():
        for pair in exposed(entry):
            found[pair] = None
    for pair in plan.stage.ports if plan.stage else []:
        found[pair] = None
    for number in plan.found.program.ports if plan.found else ():
        found[number, "TCP"] = None
    if not found and (asked := asked_port(plan)):
        found[asked, "TCP"] = None  # nobody names a port, yet the healthcheck knows one
    return list(found)


def exposed(entry: Field) -> list[tuple[int, str]]:
    matched = re.fullmatch(r"(\d+)(?:-(\d+))?(?:/(\w+))?", entry.text())
    if matched is None:
        entry.expected('a port such as 8000 or "8000-8005/tcp"')
        return []
    last = int(matched[2] or matched[1])
    return [(n, (matched[3] or "tcp").upper()) for n in range(int(matched[1]), last + 1)]


def port_name(number: int, protocol: str) -> str:
    return f"port-{number}" if protocol == "TCP" else f"{protocol.lower()}-{number}"


def resources_of(plan: Plan) -> Obj:
    """What is not reserved is asked for as nothing: else the API takes the limit as the request."""
    one = plan.field
    given = one["deploy"]["resources"]
    limits = amounts(given["limits"]["cpus"] or one["cpus"], given["limits"]["memory"] or one["mem_limit"])
    requests = amounts(given["reservations"]["cpus"], given["reservations"]["memory"] or one["mem_reservation"])
    for name in limits:
        requests.setdefault(name, "0")
    for pids in (given["limits"]["pids"], one["pids_limit"]):
        if pids:
            plan.ground.warn(pids, "is not honoured: Kubernetes limits processes a node, not a container")
    return {k: v for k, v in (("limits", limits), ("requests", requests)) if v}


def amounts(cpus: Field, memory: Field) -> dict[str, str]:
    out = {}
    if cpus and (cores := cpus.number()):
        out["cpu"] = f"{math.ceil(cores * 1000)}m"
    if memory and (size := memory.size_bytes()):
        out["memory"] = quantity(size)
    return out


def quantity(size: int) -> str:
    for unit, power in (("Gi", 3), ("Mi", 2), ("Ki", 1)):
        if size % 1024**power == 0:
            return f"{size // 1024**power}{unit}"
    return str(size)


def security_context(plan: Plan) -> Obj:
    user = plan.field["user"]
    if not user:
        own = plan.found.program.user if plan.found else ""
        return {"runAsUser": pwd.getpwnam(own).pw_uid, "runAsGroup": pwd.getpwnam(own).pw_gid} if own else {}
    name, _, group = user.text().partition(":")
    out: dict[str, Any] = {}
    if name.isdigit():
        out["runAsUser"] = int(name)
    else:
        try:
            known = pwd.getpwnam(name)
        except KeyError:
            plan.ground.warn(user, f'this machine has no user "{name}"; the service runs as who starts it')
            return {}
        out["runAsUser"] = known.pw_uid
        out["runAsGroup"] = known.pw_gid
    if group.isdigit():
        out["runAsGroup"] = int(group)
    if os.geteuid() not in (0, out["runAsUser"]):
        plan.ground.warn(user, "only root may start programs as somebody else; the service runs as you")
        return {}
    return out


SIGNALS = re.compile(r"(?:SIG)?([A-Z][A-Z0-9+-]*)")


def lifecycle(plan: Plan) -> Obj:
    out: Obj = {}
    if signal := plan.field["stop_signal"]:
        matched = SIGNALS.fullmatch(signal.text().upper())
        if matched is None:
            signal.expected("a signal's name such as SIGINT")
        else:
            out["stopSignal"] = f"SIG{matched[1]}"
    for theirs, ours in (("post_start", "postStart"), ("pre_stop", "preStop")):
        hooks = list(plan.field[theirs].each())
        if not hooks:
            continue
        if len(hooks) > 1:
            hooks[1].fault("only one hook can be run here; join the commands in one")
        command = hooks[0]["command"]
        words = command.texts() if isinstance(command.value, list) else ["/bin/sh", "-c", command.text()]
        out[ours] = {"exec": {"command": words}}
    return out
