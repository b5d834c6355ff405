"""One service on its way to Kubernetes objects, with what all its parts need to know of each other.

In: a project. Out: a `Plan` a service: its Field, its object's name, what it is built from or which program of this
machine it is, whether it runs to an end. Faults and warnings go to the project's lists.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from madang.app.application import PROJECT, SERVICE
from madang.app.choice import AUTO, BASE, CONTAINER, HOST, Chosen, Impossible
from madang.app.compose.ground import Ground
from madang.app.compose.pulling import NEVER, check, pull_policy
from madang.app.compose.volumes import bound, named
from madang.app.field import Field
from madang.app.images.found import Found, NoProgram, find
from madang.app.images.surroundings import opened
from madang.app.images.table import server_of
from madang.app.programs.environment import BuildError
from madang.app.programs.make import Build, placed, read, reference, warnings
from madang.app.programs.stage import Stage
from madang.ports.program import HOST as MACHINE

AS_EVER = Chosen()
COMPLETED = "service_completed_successfully"


@dataclass(frozen=True, slots=True)
class Plan:
    """`image` is what the pods name; `stage` and `build` where it is built, `found` where a server of this machine
    stands for it, `chosen` how it runs and why. `ends` says that it runs to an end: a Job."""

    ground: Ground
    service: str
    field: Field
    labels: Mapping[str, str]
    image: str = ""
    build: Build | None = None
    stage: Stage | None = None
    found: Found | None = None
    ends: bool = False
    chosen: Chosen = AS_EVER

    @property
    def name(self) -> str:
        return self.ground.names[self.service]

    def opened(self, port: int) -> int:
        """The number inside that stands for `port`: a server of ours opens a higher one where it must."""
        return opened(self.found.server, port) if self.found is not None else port


def plans(ground: Ground) -> list[Plan]:
    awaited = {
        name
        for _, one in ground.project.root["services"].items()
        for name, how in one["depends_on"].items()
        if how["condition"].text() == COMPLETED
    }
    return [plan(ground, name, one, name in awaited) for name, one in ground.project.root["services"].items()]


def plan(ground: Ground, service: str, one: Field, awaited: bool) -> Plan:
    labels = {
        "app.kubernetes.io/name": ground.names[service],
        "app.kubernetes.io/managed-by": "madang",
        PROJECT: ground.namespace,
        SERVICE: ground.names[service],
    }
    policy = one["deploy"]["restart_policy"]["condition"].text()
    mode = one["deploy"]["mode"].text()
    ends = awaited or one["restart"].text() == "no" or policy == "none" or mode.endswith("-job")
    made = Plan(ground, service, one, labels, ends=ends)
    if "build" in one:
        return built(made)
    if "image" not in one:
        one.fault(
            "has neither build nor image: give it a build: folder, or an image that this machine has a program for"
        )
        return made
    return pulled(made)


def built(made: Plan) -> Plan:
    of, ground = made.field["build"], made.ground
    context = of["context"].text()
    if "://" in context or context.startswith("git@"):
        of["context"].fault(f"{context} is not a folder of this machine: clone it and name the folder")
        return made
    args = {k: v.text() if v else ground.project.variables.get(k, "") for k, v in of["args"].items()}
    build = Build(
        service=made.name,
        project=ground.namespace,
        context=Path(context),
        dockerfile=of["dockerfile"].text("Dockerfile"),
        target=of["target"].text(),
        args=args,
        inline=of["dockerfile_inline"].text(),
    )
    try:
        chosen = ground.options.runtimes.of_build(build, asked(made))
        if chosen.image is not None:
            image = chosen.image
            return startable(replace(made, image=image.reference, build=build, stage=image.stage, chosen=chosen))
        stage = read(build)
        ground.project.warnings += [w for w in warnings(build, stage) if w not in ground.project.warnings]
    except (BuildError, Impossible) as error:
        of.fault(str(error))
        return made
    chosen = replace(chosen, why=chosen.why.replace(BASE, stage.base or "its base image"))
    made = replace(made, image=reference(build, stage), build=build, stage=stage, chosen=chosen)
    if not stage.entrypoint and "entrypoint" not in made.field and starts_server(stage):
        return upon_server(made, build, stage)
    return startable(made)


def asked(made: Plan) -> str:
    """What the file wants of this service alone."""
    own = made.field["x-madang"]["runtime"]
    if own and own.value not in (HOST, CONTAINER, AUTO):
        own.expected(f"{HOST}, {CONTAINER} or {AUTO}")
        return ""
    return own.text()


def startable(made: Plan) -> Plan:
    """Refused where nothing says what to run."""
    stage, build, of = made.stage, made.build, made.field["build"]
    assert stage is not None and build is not None
    if stage.entrypoint or stage.command or "entrypoint" in made.field:
        return made
    if "command" not in made.field:
        without = "has no CMD" if build.inline or build.file.is_file() else "is not there"
        of.fault(f"nothing says what to run: {build.file} {without}, and the service has no command")
    return made


def from_registry(made: Plan, why: NoProgram) -> Plan:
    """No program of this machine stands for its image: it is brought now, as a file that cannot run starts nothing."""
    of, image = made.field["image"], made.field["image"].text()
    try:
        if pull_policy(made.field) == NEVER:
            raise Impossible("pull_policy: never")
        return replace(made, image=image, chosen=made.ground.options.runtimes.brought(image, asked(made)))
    except Impossible as error:
        of.fault(f"{why} ({error})" if str(error) else str(why))
        return made


def pulled(made: Plan) -> Plan:
    check(made.field)
    of, image = made.field["image"], made.field["image"].text()
    if image == MACHINE:
        return replace(made, image=image)
    try:
        chosen = made.ground.options.runtimes.of_image(made.ground.namespace, made.name, image, asked(made))
    except Impossible as error:
        of.fault(str(error))
        return made
    made = replace(made, chosen=chosen)
    if chosen.runtime == CONTAINER:
        return replace(made, image=image)
    owner = f"{made.ground.namespace}/{made.name}/"
    try:
        found = find(
            image, made.ground.options.allow_other_versions, data_folder(made, image), owner, tools_folder(made)
        )
    except NoProgram as error:
        return from_registry(made, error)
    if found.warning:
        made.ground.warn(of, found.warning)
    return configured(replace(made, image=found.program.reference, found=found), ())


def starts_server(stage: Stage) -> bool:
    """Whether its image's own server is what runs: by default, or by a CMD that names it."""
    row = server_of(stage.base)
    return row is not None and (not stage.command or any(row.program in word for word in stage.command))


def upon_server(made: Plan, build: Build, stage: Stage) -> Plan:
    """A Dockerfile that only adds files to an image whose server this machine has."""
    try:
        data, tools = data_folder(made, stage.base), tools_folder(made)
        found = find(stage.base, made.ground.options.allow_other_versions, data, tools=tools)
    except NoProgram as error:
        made.field["build"].fault(f"{build.file}: FROM {error}")
        return made
    if found.warning:
        made.ground.warn(made.field["build"], found.warning)
    files = tuple(placed(build.context, stage))
    program = replace(
        found.program,
        reference=made.image,
        root=build.context,
        command=stage.command,
        mounts=(*found.program.mounts, *files),
        env={**found.program.env, **stage.env, **removed(stage)},
    )
    return configured(replace(made, found=replace(found, program=program)), [target for _, target in files])


def configured(made: Plan, targets: Iterable[str]) -> Plan:
    """The server learns which files are the user's own, and where they are if nothing can be mounted; and one folder
    has one writer."""
    found = made.found
    if found is None:
        return made
    own = [*targets, *(one["target"].text() for key in ("volumes", "configs") for one in made.field[key].each())]
    lines = "\n".join(f"{target[1:]}={target}" for target in own if target not in found.server.data)
    if lines:
        program = replace(found.program, env={**found.program.env, "MADANG_FILES": lines})
        made = replace(made, found=replace(found, program=program))
    if found.server.data:
        for one in (made.field["deploy"]["replicas"], made.field["scale"], made.field["x-madang"]["scale"]):
            if one and (isinstance(one.value, dict) or one.whole() > 1):
                one.fault(
                    f"expected 1: {found.server.image} keeps its data in one folder, in which one instance works; "
                    "write several as services of their own"
                )
    return made


def removed(stage: Stage) -> dict[str, str]:
    """What the Dockerfile takes away from the image's configuration."""
    names = " ".join(path[1:] for path in stage.removed)
    return {"MADANG_REMOVED": names} if names else {}


def tools_folder(made: Plan) -> Path:
    """For what a server needs beside it, and the image would bring."""
    return made.ground.options.home / "images" / "servers" / made.ground.namespace / made.name


def data_folder(made: Plan, image: str) -> Path:
    """The volume that Compose mounts where the image keeps its data; else a folder of the service's own."""
    row = server_of(image)
    for one in made.field["volumes"].each() if row else ():
        if row and one["target"].text() in row.data and "source" in one:
            place = bound(one) if one["type"].text() == "bind" else named(made.ground, one)
            if "hostPath" in place:
                return Path(place["hostPath"]["path"])
    return made.ground.options.home / "volumes" / made.ground.namespace / f"{made.name}-data"
