"""Ports of the machine that a pod asks for itself (`hostPort`), each led to that one pod.

In: pods that are placed and have an address. Out: `Carried`: what HAProxy listens on for TCP, rows for the kernel for
UDP. Without `hostIP` a port is open where the courtyard publishes (`--listen`) and on the address of the pod's node;
with one, there alone. Pods on the machine's own network open their ports themselves.
"""

from collections.abc import Iterable

from madang.gateway.desired import Backend, Bind, Datagram, Frontend, Owner, Problem, Server
from madang.gateway.services import Carried
from madang.kinds.names import ip_family
from madang.kinds.phase import ended
from madang.ports.objects import Change, Key, Obj, ref
from madang.ports.parts import parts
from madang.ports.settings import Settings

PODS = "pods"
EVERYWHERE = ("", "0.0.0.0")


class HostPods:
    """The pods with host ports, as they come and go: few, so that no turn looks through all pods."""

    def __init__(self) -> None:
        self._known: dict[Key, Obj] = {}

    def learn(self, pods: Iterable[Obj]) -> None:
        """All that there are, before the first change is heard."""
        for pod in pods:
            self._take(Key(PODS, *ref(pod)), pod)

    def hear(self, change: Change) -> bool:
        """Whether it may change what is open."""
        return self._take(change.entry.key, None if change.type == "DELETED" else change.entry.obj)

    def _take(self, key: Key, pod: Obj | None) -> bool:
        wanted = pod if pod is not None and opens(pod) else None
        before = self._known.pop(key, None)
        if wanted is not None:
            self._known[key] = wanted
        return _bearing(before) != _bearing(wanted)

    @property
    def pods(self) -> list[Obj]:
        return [pod for _, pod in sorted(self._known.items())]


def opens(pod: Obj) -> bool:
    spec = pod["spec"]
    if spec.get("hostNetwork") or not spec.get("nodeName") or ended(pod):
        return False
    if ip_family((pod.get("status") or {}).get("podIP") or "") != "IPv4":  # it stands in configurations as it is
        return False
    return any(port.get("hostPort") for container in _containers(pod) for port in container.get("ports") or ())


def _containers(pod: Obj) -> list[Obj]:
    sidecars = [c for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"]
    return [*sidecars, *pod["spec"].get("containers", ())]


def _bearing(pod: Obj | None) -> object:
    return None if pod is None else (pod["metadata"].get("uid"), pod["status"]["podIP"])


def carry(pods: Iterable[Obj], settings: Settings) -> Carried:
    frontends: list[Frontend] = []
    backends: list[Backend] = []
    problems: list[Problem] = []
    datagrams: list[Datagram] = []
    for pod in pods:
        owner = Owner(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])
        for port in (p for c in _containers(pod) for p in c.get("ports") or () if p.get("hostPort")):
            to = (pod["status"]["podIP"], int(port["containerPort"]))
            binds, number = _binds(pod, port, owner, settings), int(port["hostPort"])
            if port.get("protocol", "TCP") == "TCP":
                name = f"hostport:{owner.namespace}:pod.{owner.name}:{number}.{port.get('hostIP') or 'all'}"
                name = name.replace("0.0.0.0", "all")
                frontends.append(Frontend(name, "tcp", tuple(binds), name))
                backends.append(Backend(name, "tcp", (Server(f"{owner.name}:{to[0]}:{to[1]}", *to),)))
                continue
            near = [bind for bind in binds if bind.near]
            if port["protocol"] == "UDP" and settings.addresses.network == "bridge":
                datagrams += [Datagram(bind.host, bind.port, (to,)) for bind in near]
            else:
                near = []
            if far := [f"{bind.host}:{bind.port}" for bind in binds if bind not in near]:
                text = f"host port {number}/{port['protocol']} is not open at {', '.join(far)}"
                problems.append(Problem(owner, "ProtocolNotSupported", text))
    return Carried(tuple(frontends), tuple(backends), tuple(problems), tuple(datagrams))


def _binds(pod: Obj, port: Obj, owner: Owner, settings: Settings) -> list[Bind]:
    number, wanted = int(port["hostPort"]), port.get("hostIP") or ""
    nodes = parts(settings.addresses, settings.nodes)
    what = f"host port {number}"
    if wanted not in EVERYWHERE:
        return [Bind(wanted, number, owner, what, near=wanted in {node.ip for node in nodes})]
    place = pod["spec"]["nodeName"].rpartition("-")[2]
    own = nodes[int(place) - 1] if place.isdigit() and 0 < int(place) <= len(nodes) else nodes[0]
    return [Bind(settings.listen, number, owner, what), Bind(own.ip, number, owner, what, near=True)]
