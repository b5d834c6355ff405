"""The hand on a node's own objects: Node and Lease, made at the start and whenever they are missing, written again
when they say something new.

In: the machine, what runs low. Out: objects and the events about them.
"""

import logging

from madang.node.kit import Kit
from madang.node.machine.machine import Machine, Pressure
from madang.node.machine.registration import NOT_READY, Share, changes, lease, node, says_ready, status
from madang.ports.errors import AlreadyExists, NotFound, StatusError
from madang.ports.objects import Obj

log = logging.getLogger(__name__)


class Registrar:
    def __init__(self, kit: Kit, machine: Machine, share: Share) -> None:
        self._kit, self._machine, self._share = kit, machine, share
        self._pressure = Pressure()
        self._registered = False

    def begin(self) -> None:
        """The agent starts: it registers again, whatever stands there."""
        self._registered = False

    async def keep(self) -> bool:
        """One try to have the Node stand there and say that it is ready; whether it does now."""
        found = self._kit.api.view.get("nodes", "", self._share.name)
        if found is not None and self._registered:
            return says_ready(found) or await self._report(found)
        try:
            made = await self._node()
            await self._lease(made["metadata"]["uid"])
        except StatusError as e:
            log.warning("node %s is not registered yet: %s", self._share.name, e)
            return False
        self._registered = True
        return True

    async def report(self, pressure: Pressure) -> None:
        """Write the node's status where its conditions say something new."""
        self._pressure = pressure
        found = self._kit.api.view.get("nodes", "", self._share.name)
        if found is not None and self._registered:
            await self._report(found)

    async def _report(self, found: Obj) -> bool:
        before = found.get("status") or {}
        after = status(self._machine, self._share, self._pressure, before, self._kit.clock.now_s())
        told = changes(self._share.name, before.get("conditions") or [], after["conditions"])
        if not told:
            return True
        try:
            await self._kit.api.update("nodes", {**found, "status": {**before, **after}}, subresource="status")
        except StatusError as e:
            log.debug("node %s: status not written: %s", self._share.name, e)
            return False  # the next look sees what came between, or the disk that has room again
        self._tell(told)
        return True

    async def _node(self) -> Obj:
        api, name = self._kit.api, self._share.name
        try:
            found = (await api.create("nodes", node(self._machine, self._share))).obj
        except AlreadyExists:
            found = await self._renumber(await api.get("nodes", "", name))
            found = await self._relabel(found)
        before = found.get("status") or {}
        after = status(self._machine, self._share, self._pressure, before, self._kit.clock.now_s())
        made = (await api.update("nodes", {**found, "status": {**before, **after}}, subresource="status")).obj
        self._tell([("Normal", "Starting", "Starting kubelet.")])
        self._tell(changes(name, before.get("conditions") or [], after["conditions"]))
        return await self._untaint(made)

    async def _renumber(self, found: Obj) -> Obj:
        """A Node keeps its range for life (the API takes no other), so one with another range is made anew, with what
        people have written on it."""
        wanted = node(self._machine, self._share)
        has, due = found["spec"].get("podCIDRs") or [], wanted["spec"].get("podCIDRs") or []
        if has == due:
            return found
        api, name = self._kit.api, self._share.name
        if not has:
            return (await api.patch("nodes", "", name, {"spec": wanted["spec"]})).obj
        spec = {k: v for k, v in found["spec"].items() if k not in ("podCIDR", "podCIDRs")}
        for part in ("labels", "annotations"):
            wanted["metadata"][part] = {**(found["metadata"].get(part) or {}), **wanted["metadata"][part]}
        await api.delete("nodes", "", name)
        return (await api.create("nodes", {**wanted, "spec": {**spec, **wanted["spec"]}})).obj

    async def _relabel(self, found: Obj) -> Obj:
        wanted = node(self._machine, self._share)["metadata"]
        patch = {k: dict(wanted[k]) for k in ("labels", "annotations")}
        if all((found["metadata"].get(k) or {}).items() >= v.items() for k, v in patch.items()):
            return found
        return (await self._kit.api.patch("nodes", "", self._share.name, {"metadata": patch})).obj

    async def _untaint(self, found: Obj) -> Obj:
        """A new node is tainted until it is ready, which it is now."""
        taints = found["spec"].get("taints") or []
        left = [t for t in taints if t["key"] != NOT_READY]
        if len(left) == len(taints):
            return found
        return (await self._kit.api.patch("nodes", "", self._share.name, {"spec": {"taints": left or None}})).obj

    async def _lease(self, uid: str) -> None:
        wanted = lease(self._share.name, uid, self._kit.clock.now_s())
        kind, namespace = "leases.coordination.k8s.io", "kube-node-lease"
        try:
            await self._kit.api.create(kind, wanted, namespace=namespace)
        except AlreadyExists:
            await self._kit.api.patch(kind, namespace, self._share.name, {"spec": wanted["spec"]})
        except NotFound as e:
            log.warning("node %s has no lease: %s", self._share.name, e)

    def _tell(self, events: list[tuple[str, str, str]]) -> None:
        # A kubelet's events about its node carry the node's name as uid.
        meta = {"name": self._share.name, "uid": self._share.name}
        for type_, reason, message in events:
            self._kit.events.emit({"kind": "Node", "apiVersion": "v1", "metadata": meta}, type_, reason, message)
