"""A project as Kubernetes objects, in the order in which they are applied.

In: a `Project`. Out: an `Application`; faults and warnings are the project's. Pure but for reading the files that the
project names (Dockerfiles, env files, configs).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from madang.app.application import PROJECT, Application, LoadOptions, Volume
from madang.app.compose.ground import Ground, ground
from madang.app.compose.keys import unhonoured
from madang.app.compose.plan import Plan, plans
from madang.app.compose.probes import probes
from madang.app.compose.project import Project
from madang.app.compose.services import routes, services
from madang.app.compose.storage import storage
from madang.app.compose.workload import workload
from madang.app.images.found import Found
from madang.app.overlay import ENVIRONMENT
from madang.app.watching import rules_of
from madang.ports.objects import Obj


def application(project: Project, options: LoadOptions) -> Application:
    base = ground(project, options)
    if not base.names and not project.faults:
        left = sorted({p for asked in project.left_out.values() for p in asked})
        hint = f"; all of them belong to profiles: --profile {left[0]}" if left else ""
        project.faults.append(f"{project.root.mark}: there is no service to start{hint}")
    cycles(base)
    made = plans(base)
    collisions(made)
    networks(base)
    first: list[Obj] = [namespace(base)]
    held: dict[tuple[str, str], Obj] = {}
    reached: list[Obj] = []
    running: list[Obj] = []
    works: list[list[Obj]] = []
    places: dict[tuple[str, str, str], str] = {}
    for plan in made:
        for one, text in unhonoured(plan.field):
            base.warn(one, text)
        kept, checks = storage(plan), probes(plan)
        for obj in kept.objects:
            merge(held, obj)
        ways, runs = [*services(plan, checks), *routes(plan)], workload(plan, kept, checks)
        at = f"{plan.field.mark}: {plan.field.path}"
        places |= {(o["kind"], base.namespace, o["metadata"]["name"]): at for o in (*ways, *runs)}
        reached, running, works = reached + ways, running + runs, [*works, runs]
    return Application(
        name=project.name,
        namespace=base.namespace,
        objects=[placed(base, o) for o in (*first, *held.values(), *reached, *running)],
        builds=[p.build for p in made if p.build is not None and p.found is None and p.chosen.image is None],
        images=[p.chosen.image for p in made if p.chosen.image is not None],
        chosen={p.name: p.chosen for p in made},
        rules=[rule for p in made for rule in rules_of(p.name, p.field["develop"])],
        volumes=[v for p, runs in zip(made, works, strict=True) for o in runs for v in owned(o, options, of_image(p))],
        found=[owned_by(p.found, runs) for p, runs in zip(made, works, strict=True) if p.found is not None],
        warnings=gathered(project.warnings, project.directory),
        services=[p.name for p in made],
        sources=project.sources,
        places=places,
        options=options,
    )


def namespace(base: Ground) -> Obj:
    """It says which environment the project was brought for: `madang image ls --envs` reads it."""
    environment = {ENVIRONMENT: base.options.environment} if base.options.environment else {}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": base.namespace, "labels": {PROJECT: base.namespace, **environment}},
    }


def placed(base: Ground, obj: Obj) -> Obj:
    """Every object carries the project, so that a later `up` finds what this one made."""
    meta = {**obj["metadata"], "labels": {**obj["metadata"].get("labels", {}), PROJECT: base.namespace}}
    if obj["kind"] != "Namespace":
        meta["namespace"] = base.namespace
    return {**obj, "metadata": meta}


def merge(held: dict[tuple[str, str], Obj], obj: Obj) -> None:
    """Two services that use one config share its object."""
    key = (obj["kind"], obj["metadata"]["name"])
    if key in held:
        for part in ("data", "binaryData"):
            if part in obj:
                held[key] = {**held[key], part: {**held[key].get(part, {}), **obj[part]}}
        return
    held[key] = obj


def collisions(made: Sequence[Plan]) -> None:
    """One port outside leads to one service, and a published port's Service needs its name for itself."""
    taken: dict[tuple[int, str], str] = {}
    names = {plan.name for plan in made}
    for plan in made:
        for port in plan.field["ports"].each():
            key = port["published"].whole(), port["protocol"].text("tcp")
            if key[0] and taken.setdefault(key, plan.service) != plan.service:
                port.fault(f"port {key[0]} is published by {taken[key]} already")
        if "ports" in plan.field and f"{plan.name}-published" in names:
            plan.field.fault(f"its published ports are called {plan.name}-published, and so is a service: rename one")


def gathered(warnings: Sequence[str], directory: Path) -> list[str]:
    """What is said of several Dockerfiles is said once."""
    files: dict[str, list[str]] = {}
    for warning in warnings:
        head, _, text = warning.partition(": ")
        path = Path(head)
        name = str(path.relative_to(directory)) if path.is_relative_to(directory) and path.is_file() else head
        files.setdefault(text, []).append(name)
    return [f"{', '.join(heads)}: {text}" for text, heads in files.items()]


def of_image(plan: Plan) -> dict[str, int]:
    """As whom the image of a service runs, where it says so by numbers."""
    user, _, group = (plan.stage.user if plan.stage and plan.chosen.image else "").partition(":")
    ids = {"runAsUser": user, "runAsGroup": group}
    return {name: int(text) for name, text in ids.items() if text.isdigit()}


def owned(workload: Obj, options: LoadOptions, image: Mapping[str, int]) -> list[Volume]:
    """The named volumes of a service that runs as somebody: an image would have made them his. `image` is as whom its
    image runs, if it is in a container."""
    if workload["kind"] not in ("Deployment", "Job"):
        return []
    spec = workload["spec"]["template"]["spec"]
    user = {**image, **(spec["containers"][0].get("securityContext") or {})}
    paths = [Path(v["hostPath"]["path"]) for v in spec.get("volumes") or () if "hostPath" in v]
    inside = [p for p in paths if p.is_relative_to(options.home / "volumes")]
    return [Volume(p, user["runAsUser"], user.get("runAsGroup", -1)) for p in inside] if "runAsUser" in user else []


def owned_by(found: Found, works: Sequence[Obj]) -> Found:
    """The server's data belong to whom the service runs as."""
    pod = works[0]["spec"]["template"]["spec"]
    who = pod["containers"][0].get("securityContext") or {}
    return replace(found, owner=(who["runAsUser"], who.get("runAsGroup", -1))) if "runAsUser" in who else found


def networks(base: Ground) -> None:
    """Networks are one here: what would separate services is named."""
    given = base.project.root["networks"]
    separate = [(n, one) for n, one in given.items() if n != "default"]
    if len(separate) > 1:
        base.warn(given, "services on different networks reach each other here: a project is one network")
    for _, one in separate:
        if one["internal"].truth():
            base.warn(one["internal"], "is not honoured: programs of this machine reach where the machine reaches")
    if "models" in base.project.root:
        base.warn(base.project.root["models"], "is not honoured: there is no model runner")


def cycles(base: Ground) -> None:
    """Services that wait for each other would wait for ever."""
    services = base.project.root["services"]
    state: dict[str, bool] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            services[name]["depends_on"].fault(f"waits for itself: {' -> '.join([*path[path.index(name) :], name])}")
            return
        if name in state:
            return
        state[name] = True
        for other, _ in services[name]["depends_on"].items():
            if other in base.names:
                visit(other, (*path, name))

    for name in base.names:
        visit(name, ())
