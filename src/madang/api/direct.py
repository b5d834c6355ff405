"""The API for the house's own rooms: `ports.api.LocalApi` straight over the store, as somebody.

In: kinds by group resource, decoded objects. Out: decoded objects that nobody may change. `wire` speaks to the same
verbs below this class (`madang.api.create.create(desk, ...)` and so on), with bytes in and out.
"""

from collections.abc import AsyncIterator, Mapping, Sequence

from madang.api import delete as deleting
from madang.api import delete_collection as clearing
from madang.api import get as getting
from madang.api import lists, verbs, watches
from madang.api.desk import Desk, Outcome
from madang.api.index import Index
from madang.api.resources import Aim, resource
from madang.api.view import StoreView
from madang.ports.api import DeleteOptions, ListOptions, Page, PatchType, User, WriteOptions, Written
from madang.ports.chance import Chance
from madang.ports.clock import Clock
from madang.ports.objects import Change, Kind, Obj, ref
from madang.ports.settings import Settings
from madang.ports.view import View
from madang.store.model import Store

ADMIN = User("system:admin", ("system:masters", "system:authenticated"))
# (how a user's name begins, what its writes are marked with)
MANAGERS = (("system:serviceaccount:kube-system:", "kube-controller-manager"), ("system:node:", "kubelet"))
_WRITE, _DELETE, _LIST = WriteOptions(), DeleteOptions(), ListOptions()


class DirectApi:
    """`index` is the one whose `terms` the store was opened with."""

    def __init__(
        self,
        store: Store,
        index: Index,
        clock: Clock,
        chance: Chance,
        settings: Settings,
        *,
        user: User = ADMIN,
        desk: Desk | None = None,
    ) -> None:
        self.desk = desk or Desk(store=store, index=index, clock=clock, chance=chance, settings=settings)
        self.user = user
        self._view = StoreView(store)
        self._unnamed = self._named_by_room(_WRITE)

    def as_(self, user: User) -> "DirectApi":
        desk = self.desk
        return DirectApi(desk.store, desk.index, desk.clock, desk.chance, desk.settings, user=user, desk=desk)

    @property
    def view(self) -> View:
        return self._view

    async def get(self, kind: Kind, namespace: str, name: str, *, subresource: str = "") -> Obj:
        return getting.get(self.desk, Aim(resource(kind), namespace, name, subresource)).answer

    async def list(self, kind: Kind, namespace: str | None = None, options: ListOptions = _LIST) -> Page:
        return lists.page(self.desk, resource(kind), namespace, options)

    async def watch(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        since: str = "",
        bookmarks: bool = False,
        timeout_s: float | None = None,
    ) -> AsyncIterator[Change]:
        async for batch in watches.batches(
            self.desk, resource(kind), namespace, labels=labels, fields=fields, since=since, bookmarks=bookmarks,
            timeout_s=timeout_s,
        ):  # fmt: skip
            for change in batch:
                yield change

    async def create(
        self,
        kind: Kind,
        obj: Obj,
        *,
        namespace: str = "",
        name: str = "",
        subresource: str = "",
        options: WriteOptions = _WRITE,
    ) -> Written:
        aim = Aim(resource(kind), namespace, name, subresource)
        return _written(await verbs.post(self.desk, self.user, aim, obj, self._named(options)))

    async def update(self, kind: Kind, obj: Obj, *, subresource: str = "", options: WriteOptions = _WRITE) -> Written:
        aim = Aim(resource(kind), *ref(obj), subresource)
        return _written(await verbs.put(self.desk, self.user, aim, obj, self._named(options)))

    async def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        patch: Obj | Sequence[Mapping[str, object]] | bytes,
        *,
        style: PatchType = "merge",
        subresource: str = "",
        options: WriteOptions = _WRITE,
    ) -> Written:
        aim = Aim(resource(kind), namespace, name, subresource)
        return _written(await verbs.patch(self.desk, self.user, aim, patch, style, self._named(options)))

    async def delete(self, kind: Kind, namespace: str, name: str, options: DeleteOptions = _DELETE) -> Obj:
        return (await deleting.delete(self.desk, self.user, resource(kind), namespace, name, options)).answer

    async def delete_collection(
        self, kind: Kind, namespace: str, selection: ListOptions = _LIST, options: DeleteOptions = _DELETE
    ) -> Obj:
        return (
            await clearing.delete_collection(self.desk, self.user, resource(kind), namespace, selection, options)
        ).answer

    def _named(self, options: WriteOptions) -> WriteOptions:
        """Rooms inside are the field managers that a cluster's parts are."""
        if options is _WRITE:
            return self._unnamed
        return options if options.field_manager else self._named_by_room(options)

    def _named_by_room(self, options: WriteOptions) -> WriteOptions:
        manager = next((name for prefix, name in MANAGERS if self.user.name.startswith(prefix)), "")
        manager = manager or self.user.name.rsplit(":", 1)[-1]
        return WriteOptions(options.dry_run, manager, options.field_validation, options.force)


def _written(outcome: Outcome) -> Written:
    return Written(obj=outcome.answer, created=outcome.created, warnings=outcome.warnings)
