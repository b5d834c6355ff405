"""What the dashboard keeps of each object: small frozen values instead of documents, so that 500 pods are cheap.

`reading` makes them from objects; `picture`, `application` and `graph` look at nothing else. Times are the API's own
texts (RFC 3339), which sort as they stand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from madang.kinds.phase import TERMINAL
from madang.ports.streams import Stack

HOUSE = ("kube-system", "kube-public", "kube-node-lease")  # namespaces that no application lives in


@dataclass(frozen=True, slots=True)
class Held:
    """A container of a pod, and its limits (0: none). `image_id` is what its image's name stood for."""

    name: str
    image: str = ""
    image_id: str = ""
    running: bool = False
    cpu_millis: int = 0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Instance:
    """A pod. `state` is one word of the API's; `why` what keeps it from being ready, empty when nothing does."""

    namespace: str
    name: str
    service: str
    node: str = ""
    address: str = ""
    phase: str = "Pending"
    ready: bool = False
    leaving: bool = False
    restarts: int = 0
    state: str = "Pending"
    why: str = ""
    waits: str = ""  # for whom, where it is gated
    homeless: str = ""  # why no node takes it
    since: str = ""
    cpu_millis: int = 0
    memory_bytes: int = 0
    containers: tuple["Held", ...] = ()

    @property
    def ended(self) -> bool:
        return self.phase in TERMINAL

    @property
    def struggling(self) -> bool:
        """It runs into the same fault again and again, or ended badly."""
        return self.phase == "Failed" or self.state in ("CrashLoopBackOff", "Error", "OOMKilled", *NO_IMAGE)


NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError")


@dataclass(frozen=True, slots=True)
class Workload:
    """What keeps instances: a Deployment, a Job, or a pod by itself. `asks` are words of its environment, where names
    of other services may stand."""

    kind: str
    namespace: str
    name: str
    wanted: int = 1
    ready: int = 0
    updating: bool = False
    over: str = ""  # of a Job: `Complete` or `Failed`
    gave_up: bool = False
    depends_on: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    keeps: bool = False  # data on a volume that outlives its instances


@dataclass(frozen=True, slots=True)
class Address:
    """A Service. `outside` are host:port pairs that are open to people."""

    namespace: str
    name: str
    service: str  # the workload that it leads to
    inside: str = ""
    ports: tuple[int, ...] = ()
    outside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """An HTTPRoute: by which hosts and paths the front door leads to which Services."""

    namespace: str
    name: str
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    leads_to: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Front:
    """A Gateway and the address that it serves on."""

    namespace: str
    name: str
    serves: bool = False
    address: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """A node."""

    name: str
    ready: bool = False
    closed: bool = False  # cordoned
    low: str = ""  # what it runs short of
    cpu_millis: int = 0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Scaler:
    """A HorizontalPodAutoscaler. CPU figures are per cent of what is asked for, where it goes by that."""

    namespace: str
    name: str
    service: str
    least: int = 1
    most: int = 1
    now: int = 0
    wants: int = 0
    cpu_goal: int = 0
    cpu_now: int = -1


@dataclass(frozen=True, slots=True)
class Happening:
    """An Event."""

    namespace: str
    name: str
    at: str = ""
    warning: bool = False
    reason: str = ""
    message: str = ""
    about_kind: str = ""
    about: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Ability:
    name: str
    works: bool
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the courtyard says of itself (its record in `run/`). Not running: everything is dark."""

    courtyard: str = ""
    running: bool = False
    network: str = ""
    abilities: tuple[Ability, ...] = ()
    gateway_alive: bool = True

    def able(self, name: str) -> Ability | None:
        return next((a for a in self.abilities if a.name == name), None)


@dataclass(frozen=True)
class Snapshot:
    """All facts of one moment, in order of (namespace, name); happenings in none."""

    machine: Machine = field(default_factory=Machine)
    instances: tuple[Instance, ...] = ()
    workloads: tuple[Workload, ...] = ()
    addresses: tuple[Address, ...] = ()
    routes: tuple[Route, ...] = ()
    fronts: tuple[Front, ...] = ()
    grounds: tuple[Ground, ...] = ()
    scalers: tuple[Scaler, ...] = ()
    happenings: tuple[Happening, ...] = ()
    slices: Mapping[tuple[str, str], int] = field(default_factory=dict)  # ready endpoints of a Service
    stacks: tuple[Stack, ...] = ()  # the images that are here
