"""The running account of every node: what it has, what is taken, who stands on it.

In: nodes and pods as they change, and pods just assumed (their binding on its way). Out: arrays of floats, one
place a node, that filters and scores read. A pod is taken in and out in a few steps, whatever the house holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from madang.placement.requests import CPU, MEMORY, PODS, Amounts, amounts
from madang.placement.storage import Storage
from madang.placement.wants import Wants
from madang.ports.objects import Obj


@dataclass(frozen=True, slots=True)
class Seat:
    """A pod on a node. `leaving`: it is being deleted, so it counts for room but not for spreading."""

    wants: Wants
    node: str
    leaving: bool = False


class Tally:
    """`allocatable[r][i]` and `used[r][i]`: resource r of the i-th node."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.place: dict[str, int] = {}
        self.nodes: list[Obj | None] = []
        self.labels: list[Mapping[str, str]] = []
        self.taints: list[list[Obj]] = []
        self.cordoned: list[bool] = []
        self.allocatable: dict[str, list[float]] = {CPU: [], MEMORY: [], PODS: []}
        self.used: dict[str, list[float]] = {CPU: [], MEMORY: [], PODS: []}
        self.seats: list[dict[str, Seat]] = []
        self.where: dict[str, str] = {}  # node of each pod uid
        self.kin: dict[str, dict[int, int]] = {}  # by owner: how many of its pods stand on which node, to stay
        self.repelling: dict[str, Seat] = {}  # pods with required anti-affinity: they bind newcomers, too
        self.namespaces: dict[str, Mapping[str, str]] = {}
        self.storage = Storage()

    def __len__(self) -> int:
        return sum(node is not None for node in self.nodes)

    def set_node(self, node: Obj) -> None:
        name = node["metadata"]["name"]
        i = self._index(name)
        self.nodes[i] = node
        self.labels[i] = node["metadata"].get("labels") or {}
        self.taints[i] = list((node.get("spec") or {}).get("taints") or ())
        self.cordoned[i] = bool((node.get("spec") or {}).get("unschedulable"))
        status = node.get("status") or {}
        has = amounts(status.get("allocatable") or status.get("capacity"))
        for resource in {*has, *self.allocatable}:
            self.column(self.allocatable, resource)[i] = has.get(resource, 0.0)

    def remove_node(self, name: str) -> None:
        """Its place stays for pods that are still counted there; it can't be chosen."""
        if name in self.place:
            self.nodes[self.place[name]] = None

    def seat(self, wants: Wants, node: str, *, leaving: bool = False) -> None:
        """Again for the same pod: replaces what was said before."""
        self.unseat(wants.uid)
        i = self._index(node)
        seat = Seat(wants, node, leaving)
        self.seats[i][wants.uid] = seat
        self.where[wants.uid] = node
        if wants.anti_affinity:
            self.repelling[wants.uid] = seat
        self._relate(i, seat, +1)
        self._count(i, wants.requests, +1)

    def unseat(self, uid: str) -> None:
        node = self.where.pop(uid, None)
        if node is None:
            return
        i = self.place[node]
        seat = self.seats[i].pop(uid)
        self._relate(i, seat, -1)
        self.repelling.pop(uid, None)
        self._count(i, seat.wants.requests, -1)

    def free(self, resource: str, i: int) -> float:
        return self.column(self.allocatable, resource)[i] - self.column(self.used, resource)[i]

    def _count(self, i: int, requests: Amounts, sign: int) -> None:
        for resource, value in requests.items():
            self.column(self.used, resource)[i] += sign * value
        self.used[PODS][i] += sign

    def _relate(self, i: int, seat: Seat, sign: int) -> None:
        owner = seat.wants.owner
        if not owner or seat.leaving:
            return
        places = self.kin.setdefault(owner, {})
        places[i] = places.get(i, 0) + sign
        if not places[i]:
            del places[i]
            if not places:
                del self.kin[owner]

    def _index(self, name: str) -> int:
        i = self.place.get(name)
        if i is not None:
            return i
        i = self.place[name] = len(self.names)
        self.names.append(name)
        self.nodes.append(None)
        self.labels.append({})
        self.taints.append([])
        self.cordoned.append(False)
        self.seats.append({})
        for table in (self.allocatable, self.used):
            for column in table.values():
                column.append(0.0)
        return i

    def column(self, table: dict[str, list[float]], resource: str) -> list[float]:
        """All zeros for a resource that no node has been heard to have."""
        column = table.get(resource)
        if column is None:
            column = table[resource] = [0.0] * len(self.names)
        return column
