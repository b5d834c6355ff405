"""The hand of all controllers: carries actions out through the API, as one identity.

In: actions, in order. Out: an Outcome: when to decide again, and whether something failed. Neighbours of one type
go side by side (they share a commit); what is already so counts as done; a conflict means: decide again.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from madang.loops.recorder import Recorder
from madang.ports.actions import Action, Bind, Create, Delete, Emit, Patch, Replace, Wake
from madang.ports.api import DeleteOptions, LocalApi
from madang.ports.errors import AlreadyExists, Conflict, NotFound, StatusError
from madang.ports.objects import Obj

log = logging.getLogger(__name__)
SIDE_BY_SIDE = 64


@dataclass(slots=True)
class Outcome:
    """`again`: something was refused or had changed. `wake_s`: the earliest Wake. `written`: how many writes."""

    again: bool = False
    wake_s: float | None = None
    written: int = 0


class Hand:
    def __init__(self, api: LocalApi, recorder: Recorder, name: str) -> None:
        self._api, self._recorder, self._name = api, recorder, name
        self._slots = asyncio.Semaphore(SIDE_BY_SIDE)

    async def carry_out(self, actions: Sequence[Action]) -> Outcome:
        outcome = Outcome()
        if not actions:
            return outcome
        if len(actions) == 1 and not isinstance(actions[0], Wake | Emit):
            outcome.again = not await self._one(actions[0])
            outcome.written = 1
            return outcome
        for type_, run in groupby(actions, key=type):
            if type_ is Wake:
                waits = [a.after_s for a in run if isinstance(a, Wake)]
                outcome.wake_s = min([*waits, *([] if outcome.wake_s is None else [outcome.wake_s])])
            elif type_ is Emit:
                self._tell(a for a in run if isinstance(a, Emit))
            elif not outcome.again:
                outcome.again = not await self._together(list(run))
                outcome.written += 1
        return outcome

    def _tell(self, emits: Iterable[Emit]) -> None:
        for emit in emits:
            self._recorder.record(emit)

    async def _together(self, run: Sequence[Action]) -> bool:
        if len(run) == 1:
            return await self._one(run[0])
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._slotted(action)) for action in run]
        return all(task.result() for task in tasks)

    async def _slotted(self, action: Action) -> bool:
        async with self._slots:
            return await self._one(action)

    async def _one(self, action: Action) -> bool:
        """Whether it is so now."""
        try:
            await self._write(action)
        except Conflict as conflict:
            if not isinstance(action, Create) or not isinstance(conflict, AlreadyExists):
                log.debug("%s: %s has changed: %s", self._name, type(action).__name__, conflict)
                return False
        except AlreadyExists:
            pass
        except NotFound as gone:
            if isinstance(action, Create | Bind):
                return await self._refused(action, gone)
        except StatusError as refusal:
            return await self._refused(action, refusal)
        if isinstance(action, Create | Delete):
            self._tell(action.then)
        return True

    async def _refused(self, action: Action, refusal: StatusError) -> bool:
        causes = (refusal.details or {}).get("causes") or ()
        if isinstance(action, Create) and any(c.get("reason") == "NamespaceTerminating" for c in causes):
            return True  # nothing new is made there, and nothing need be
        log.warning("%s: %s refused: %s", self._name, describe(action), refusal)
        for other in action.otherwise if isinstance(action, Create) else ():
            await self.carry_out([filled(other, str(refusal))])
        return False

    async def _write(self, action: Action) -> None:
        api = self._api
        match action:
            case Create(kind, obj):
                await api.create(kind, obj, namespace=obj["metadata"].get("namespace", ""))
            case Patch(kind, namespace, name, patch, subresource):
                body = self._preconditioned(action, patch)
                if body is not None:
                    await api.patch(kind, namespace, name, body, subresource=subresource)
            case Replace(kind, obj, subresource):
                await api.update(kind, obj, subresource=subresource)
            case Delete(kind, namespace, name):
                options = DeleteOptions(grace_s=action.grace_s, uid=action.uid, propagation=action.propagation)
                await api.delete(kind, namespace, name, options)
            case Bind(namespace, name, uid, node):
                binding = {
                    "apiVersion": "v1",
                    "kind": "Binding",
                    "metadata": {"name": name, "namespace": namespace, "uid": uid},
                    "target": {"kind": "Node", "name": node},
                }
                await api.create("pods", binding, namespace=namespace, name=name, subresource="binding")
            case unknown:
                raise TypeError(f"no hand for {unknown!r}")

    def _preconditioned(self, action: Patch, patch: Obj) -> Obj | None:
        """The patch with its preconditions in it; None where that incarnation is gone already."""
        if action.uid is None and action.revision is None:
            return patch
        present = self._api.view.get(action.kind, action.namespace, action.name)
        if present is None or (action.uid is not None and present["metadata"]["uid"] != action.uid):
            return None
        if action.revision is None:
            return patch
        return {**patch, "metadata": {**(patch.get("metadata") or {}), "resourceVersion": action.revision}}


def describe(action: Action) -> str:
    match action:
        case Create(kind, obj):
            return f"create {kind} {obj['metadata'].get('namespace', '')}/{obj['metadata'].get('name', '')}"
        case Patch(kind, namespace, name) | Delete(kind, namespace, name):
            return f"{type(action).__name__.lower()} {kind} {namespace}/{name}"
        case other:
            return type(other).__name__.lower()


def filled(action: Emit | Patch, error: str) -> Emit | Patch:
    """The refusal's text put where the action wants it."""
    if isinstance(action, Emit):
        return replace(action, message=action.message.replace("{error}", error))
    return replace(action, patch=text_filled(action.patch, error))


def text_filled(value: Obj, error: str) -> Obj:
    def walk(part: object) -> object:
        if isinstance(part, dict):
            return {k: walk(v) for k, v in part.items()}
        if isinstance(part, list):
            return [walk(v) for v in part]
        return part.replace("{error}", error) if isinstance(part, str) else part

    return {k: walk(v) for k, v in value.items()}
