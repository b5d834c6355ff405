"""Whether the house has come to where it was asked to be.

In: a world. Out: what is not so yet, as sentences; none: it has converged.
"""

from collections.abc import Iterator

from madang.ports.objects import Obj
from madang.ports.view import View
from madang.world.asks import DEPLOYMENTS, JOBS
from madang.world.manifests import NAMESPACE, SETTINGS
from madang.world.world import Wanted, World

SETTLED = "cart"  # what has a volume of settings
SLICES, SETS = "endpointslices.discovery.k8s.io", "replicasets.apps"


def unsettled(world: World) -> list[str]:
    life = world.life
    if life is None or not life.ready or life.pulse.dead:
        return ["there is no control process"]
    view = life.api.view
    found: list[str] = []
    for name, wanted in sorted(world.wanted.items()):
        if name == SETTLED and not world.level:
            continue  # it waits for settings that nobody has asked for
        found += _service(view, name, wanted) if wanted.there else _removed(view, name)
        if wanted.there:
            found += _routed(world, view, name)
    for name, completions in sorted(world.jobs.items()):
        status = (view.get(JOBS, NAMESPACE, name) or {}).get("status") or {}
        if status.get("succeeded") != completions or not _says(status, "Complete"):
            found.append(f"job {name} is not complete: {status}")
    for name in sorted(world.gone):
        if view.get("namespaces", "", name) is not None:
            found.append(f"namespace {name} is still there")
    for number in range(1, world.nodes + 1):
        node = view.get("nodes", "", f"node-{number}")
        if node is None or not _says(node["status"], "Ready") or node["spec"].get("taints"):
            found.append(f"node-{number} is not ready")
    notes = (view.get("configmaps", NAMESPACE, "notes") or {}).get("data") or {}
    found += [f"note {note} was acknowledged, and is gone" for note in sorted(world.noted - set(notes))]
    found += _machine(world, view)
    return found


def _says(status: Obj, condition: str) -> bool:
    return any(c["type"] == condition and c["status"] == "True" for c in status.get("conditions") or ())


def _service(view: View, name: str, wanted: Wanted) -> Iterator[str]:
    d = view.get(DEPLOYMENTS, NAMESPACE, name)
    if d is None:
        yield f"Deployment {name} is not there"
        return
    status, size = d.get("status") or {}, wanted.size
    counts = [status.get(k, 0) for k in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
    if d["spec"]["replicas"] != size:
        yield f"Deployment {name} wants {d['spec']['replicas']} replicas, though {size} were asked for"
    if counts != [size] * 4 or status.get("observedGeneration") != d["metadata"]["generation"]:
        yield f"Deployment {name}: {status} is not {size} of everything"
    pods = [p for p in view.list("pods", NAMESPACE) if p["metadata"].get("labels", {}).get("app") == name]
    if len(pods) != size:
        yield f"Deployment {name} has pods {[p['metadata']['name'] for p in pods]}, not {size}"
    for pod in pods:
        env = pod["spec"]["containers"][0]["env"]
        if env[0]["value"] != wanted.version:
            yield f"pod {pod['metadata']['name']} is {env[0]['value']}, not {wanted.version}"
        if not _says(pod["status"], "Ready"):
            yield f"pod {pod['metadata']['name']} is not ready: {_state(pod)}"
    ready = {p["metadata"]["uid"] for p in pods if _says(p["status"], "Ready")}
    served = _served(view, name)
    if sorted(served) != sorted(ready):
        yield f"Service {name} has {len(served)} ready endpoints, not those of its {len(ready)} ready pods"


def _state(pod: Obj) -> object:
    status = pod["status"]
    return status.get("phase"), [c.get("state") for c in status.get("containerStatuses") or ()], status.get("reason")


def _served(view: View, name: str) -> list[str]:
    return [
        e["targetRef"]["uid"]
        for s in view.list(SLICES, NAMESPACE)
        if s["metadata"]["labels"].get("kubernetes.io/service-name") == name
        for e in s.get("endpoints") or ()
        if e["conditions"]["ready"]
    ]


def _routed(world: World, view: View, name: str) -> Iterator[str]:
    """The way in leads to whom the slices name, and to nobody else."""
    wanted = {
        address
        for s in view.list(SLICES, NAMESPACE)
        if s["metadata"]["labels"].get("kubernetes.io/service-name") == name
        for e in s.get("endpoints") or ()
        if e["conditions"]["ready"]
        for address in e["addresses"]
    }
    for backend, servers in world.balancer.servers():
        if backend.startswith(f"{NAMESPACE}:{name}:") and {s.address for s in servers} != wanted:
            yield f"traffic of {backend} goes to {sorted(s.address for s in servers)}, not to {sorted(wanted)}"


def _configured(world: World, pod: Obj) -> Iterator[str]:
    folder = world.home / "pods" / pod["metadata"]["uid"] / "volumes" / SETTINGS
    keys = ("level", "same")
    shown = {key: (folder / key).read_text() for key in keys if (folder / key).exists()}
    if shown != dict.fromkeys(keys, str(world.level)):
        yield f"pod {pod['metadata']['name']} shows the settings {shown}, not those of {world.level}"


def _removed(view: View, name: str) -> Iterator[str]:
    """What is deleted is gone, with all that it owned."""
    for kind in (DEPLOYMENTS, "services"):
        if view.get(kind, NAMESPACE, name) is not None:
            yield f"{kind}/{name} is still there"
    for kind in (SETS, "pods"):
        for obj in view.list(kind, NAMESPACE):
            if (obj["metadata"].get("labels") or {}).get("app") == name:
                yield f"{kind}/{obj['metadata']['name']} of the removed {name} is still there"
    for s in view.list(SLICES, NAMESPACE):
        if s["metadata"]["labels"].get("kubernetes.io/service-name") == name:
            yield f"EndpointSlice {s['metadata']['name']} of the removed {name} is still there"


def _machine(world: World, view: View) -> Iterator[str]:
    """What runs and what is held belongs to a pod that is there."""
    pods = {p["metadata"]["uid"]: p for p in view.list("pods")}
    live = {u: p for u, p in pods.items() if p["status"].get("phase") not in ("Succeeded", "Failed")}
    for program in world.machine.alive:
        if program.pod not in live:
            yield f"program {program.launch.id} runs for no pod"
        elif program.stuck:
            yield f"program {program.launch.id} hangs for good and was not replaced"
    running = {program.pod for program in world.machine.alive}
    for uid, pod in live.items():
        if uid not in running and (world.level or pod["metadata"].get("labels", {}).get("app") != SETTLED):
            yield f"pod {pod['metadata']['name']} has no program"
        elif uid in running and any(v["name"] == SETTINGS for v in pod["spec"].get("volumes") or ()):
            yield from _configured(world, pod)
    for uid in world.network.attached():
        if uid not in live:
            yield f"the address of pod {uid} was not given back"
    if world.machine.sessions:
        yield f"{world.machine.sessions} commands in containers were never ended"
    folders = world.home / "pods"
    for folder in sorted(p.name for p in folders.iterdir()) if folders.is_dir() else ():
        if folder not in pods:
            yield f"the folder of pod {folder} is still there"
