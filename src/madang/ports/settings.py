"""What one courtyard was told and given: its name, its folders, its share of the machine's addresses.

Made once at start by `courtyard.py` from the command line and what the machine allows; read by every room.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

NetworkName = Literal["bridge", "loopback"]
DOMAIN = "madang.dev"  # of our labels, annotations and kinds
# A Node with this annotation has lost its agent, to see what becomes of the rest: `hang` (it answers nobody, what runs
# goes on) or `kill` (what runs is killed as well, as when a machine loses its power).
BROKEN = f"{DOMAIN}/broken"
RUNTIME = f"{DOMAIN}/runtime"  # annotation of a pod: `host` keeps it out of containers although its images are here


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses that this courtyard holds by a lock (see `node.networks.claims`).

    bridge: `pod_cidr` 10.A.B.0/.., `service_cidr` 10.C.D.0/.., `gateway_ip` is the bridge's own.
    loopback: both ranges lie in one 127.x block, and every service port also has a port number of its own,
    counted from `port_base` (annotation `madang.dev/ports` on the Service: {"80/TCP": 23017}).
    """

    network: NetworkName
    pod_cidr: str
    service_cidr: str
    gateway_ip: str
    device: str = ""
    port_base: int = 0
    port_count: int = 0


AUTO = "auto"  # a container where a pod's images are here, else a program of this machine


@dataclass(frozen=True, slots=True)
class Settings:
    name: str  # of the courtyard: `default` unless `--name`
    id: str  # short and unique on this machine; everything machine-wide carries it
    home: Path  # state folder of this courtyard
    addresses: Addresses
    listen: str = "127.0.0.1"  # where published ports and the front door are opened
    nodes: int = 1
    runtime: str = AUTO

    @property
    def run(self) -> Path:
        return self.home / "run"
