"""Step 6, automatic bin packing: a courtyard of three nodes, boxes of several sizes, and one that fits nowhere yet.

The boxes are pods that sleep; their sizes are shares of a node, so that the picture is the same on every machine. The
courtyard is one of the tour's own and goes again. Figures: how full each node is, milliseconds until all that fit have
their node, and until the one that waited has its.
"""

from collections.abc import Collection, Iterable

from madang.cli import courtyards
from madang.cli.courtyards import Courtyard
from madang.cli.refusal import Refusal
from madang.cli.touring import sight
from madang.cli.touring.ground import another
from madang.cli.touring.stage import Stage
from madang.kinds.quantity import millis
from madang.ports.objects import Obj

NODES = 3
NAMESPACE = "default"
BOXES = {"box-a": 60, "box-b": 50, "box-c": 40, "box-d": 50, "box-e": 30, "box-f": 80}  # percent of a node's CPU
LEAVES, WAITS = "box-e", "box-f"
FIT = frozenset(BOXES) - {WAITS}
COLUMNS = "BOX:.metadata.name,CPU:.spec.containers[0].resources.requests.cpu,NODE:.spec.nodeName"
BOX = """\
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {{name: box, image: madang.dev/host, command: [sleep, "3600"], resources: {{requests: {{cpu: {cpu}m}}}}}}
"""


async def show(stage: Stage) -> None:
    name = another(stage.ground.name)
    promise = stage.ground.promise("down", "--purge", name=name)
    await stage.run("madang", "up", "--detach", "--nodes", str(NODES), name=name, cwd=stage.ground.nowhere)
    court = courtyards.running(name)
    room = await rooms(court)
    path = stage.ground.place("boxes.yaml")
    path.write_text(boxes(min(room.values())))
    stage.telling.see("packing.boxes", sizes=", ".join(f"{box[-1]} {share}%" for box, share in BOXES.items()))

    placing = await packed(stage, court, name, str(path))
    full = fullness(await sight.pods(court, NAMESPACE), room)
    stage.telling.see("packing.full", full=", ".join(f"{node} {share}%" for node, share in full.items()))
    await stage.run(
        "madang", "kubectl", "get", "events", "--field-selector", f"involvedObject.name={WAITS},type=Warning", name=name
    )
    freed = await made_room(stage, court, name)
    await stage.run("madang", "down", "--purge", name=name)
    stage.ground.kept(promise)
    stage.telling.see("packing.see")
    stage.measured(nodes=full, placed_ms=placing, freed_ms=freed)


async def packed(stage: Stage, court: Courtyard, name: str, path: str) -> float:
    """Milliseconds from the first box seen to the last that fits having its node."""
    first = sight.seen(court, "pods", NAMESPACE, lambda pods: bool(FIT & named(pods)))
    last = sight.seen(court, "pods", NAMESPACE, lambda pods: placed(pods) >= FIT)
    async with sight.awaiting("the first box", first) as came, sight.awaiting("a node for each box", last) as done:
        await stage.run("madang", "kubectl", "apply", "-f", path, name=name)
        took = (await done() - await came()) * 1000
    await stage.run("madang", "kubectl", "get", "pods", "-o", f"custom-columns={COLUMNS}", name=name)
    return took


async def made_room(stage: Stage, court: Courtyard, name: str) -> float:
    """Milliseconds from a box's end to the waiting one having its node."""
    if WAITS in placed(await sight.pods(court, NAMESPACE)):
        raise Refusal(f"{WAITS} has a node, although none has room for it")
    there = sight.seen(court, "pods", NAMESPACE, lambda pods: WAITS in named(pods) and LEAVES not in named(pods))
    fits = sight.seen(court, "pods", NAMESPACE, lambda pods: WAITS in placed(pods))
    async with (
        sight.awaiting(f"the end of {LEAVES}", there) as gone,
        sight.awaiting(f"a node for {WAITS}", fits) as done,
    ):
        await stage.run("madang", "kubectl", "delete", "pod", LEAVES, name=name)
        took = (await done() - await gone()) * 1000
    await stage.run("madang", "kubectl", "get", "pods", "-o", f"custom-columns={COLUMNS}", name=name)
    return took


async def rooms(court: Courtyard) -> dict[str, int]:
    """CPU of each node, in thousandths of a core."""
    nodes = await sight.objects(court, "nodes", "")
    return {n["metadata"]["name"]: millis(n["status"]["allocatable"]["cpu"]) for n in nodes}


def boxes(cpu_millis: int) -> str:
    """The manifest, in the order in which they come. Pure."""
    return "---\n".join(BOX.format(name=box, cpu=cpu_millis * share // 100) for box, share in BOXES.items())


def named(pods: Iterable[Obj]) -> set[str]:
    return {p["metadata"]["name"] for p in pods}


def placed(pods: Collection[Obj]) -> set[str]:
    return {p["metadata"]["name"] for p in pods if p["spec"].get("nodeName")}


def fullness(pods: Iterable[Obj], room: dict[str, int]) -> dict[str, int]:
    """Percent of each node's CPU that is asked for. Pure."""
    used = dict.fromkeys(sorted(room), 0)
    for pod in pods:
        if node := pod["spec"].get("nodeName"):
            used[node] += BOXES[pod["metadata"]["name"]]
    return used
