"""GET of one object, or of a subresource of it."""

from madang.api import errors, subresources
from madang.api.desk import Desk, Outcome
from madang.api.resources import Aim
from madang.api.samples import sampled
from madang.ports.objects import Key


def get(desk: Desk, aim: Aim) -> Outcome:
    resource, namespace, name, subresource = aim
    row = resource.row
    if row.group == "metrics.k8s.io":
        return Outcome(obj=sampled(desk, resource, namespace, name))
    entry = desk.store.get(Key(row.id, namespace, name))
    if entry is None:
        raise errors.not_found(row, name)
    if aim.aside:
        return Outcome(obj=subresources.read(resource, entry, subresource))
    return Outcome(entry=entry)
