"""What is deleted is gone with all that it owned; what waits for finalizers is not gone before."""

from madang.ports.journal import Row
from madang.ports.objects import Obj
from madang.world.invariants.witness import Present, Witness


class Ownership(Witness):
    def committed(self, row: Row, old: Obj | None, new: Obj | None, present: Present) -> None:
        if new is not None or old is None:
            return
        meta = old["metadata"]
        if "foregroundDeletion" in (meta.get("finalizers") or ()):
            for key, obj in present.items():
                for owner in obj["metadata"].get("ownerReferences") or ():
                    if owner["uid"] == meta["uid"] and owner.get("blockOwnerDeletion"):
                        text = f"{row.key} went before {key}, which it was to wait for"
                        self.world.breach("foreground deletion waits", text)
        if row.key.kind == "namespaces":
            left = [key for key in present if key.namespace == row.key.name and key.kind != "events"]
            if left:
                self.world.breach("a namespace goes last", f"{row.key.name} is gone, and {left[0]} is still there")

    def restarted(self, present: Present) -> None:
        """Nothing is in a namespace that is gone, but Events, which are on their way out."""
        there = {key.name for key in present if key.kind == "namespaces"}
        for key in present:
            if key.namespace and key.namespace not in there and key.kind != "events":
                self.world.breach("a namespace goes last", f"{key} is left of a namespace that is gone")

    def settled(self, present: Present) -> None:
        uids = {obj["metadata"]["uid"] for obj in present.values()}
        for key, obj in present.items():
            owners = obj["metadata"].get("ownerReferences") or ()
            if owners and all(owner["uid"] not in uids for owner in owners):
                self.world.breach("what is deleted is gone with all it owned", f"{key} has lost its owner")
