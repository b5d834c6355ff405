"""Which objects a list, watch or deletecollection is about: the selectors, and what of them an index can answer.

In: the text of a label and a field selector. Out: a `Selection`; text that cannot be read is the API's 400.
"""

from collections.abc import Callable
from dataclasses import dataclass

from madang.api.resources import Resource
from madang.kinds.selectors import FieldSelector, Selector, SelectorError, parse, parse_fields
from madang.ports.errors import BadRequest
from madang.ports.objects import Entry, Obj
from madang.store.model import Term

# (kind, selectable field, index term): what a field selector can look up.
INDEXED = (("pods", "spec.nodeName", "node"), ("events", "involvedObject.uid", "about"))


@dataclass(frozen=True, slots=True)
class Selection:
    """`name` and `namespace` stand where the selector names one object or one namespace."""

    terms: tuple[Term, ...] = ()
    matches: Callable[[Obj], bool] | None = None
    name: str | None = None
    namespace: str | None = None

    @property
    def everything(self) -> bool:
        return self.matches is None

    def holds(self, entry: Entry) -> bool:
        return self.matches is None or self.matches(entry.obj)


ALL = Selection()


def selection(resource: Resource, labels: str, fields: str) -> Selection:
    if not labels and not fields:
        return ALL
    try:
        by_label = parse(labels) if labels else None
        by_field = parse_fields(fields, resource.row.id, resource.row.fields) if fields else None
    except SelectorError as fault:
        raise BadRequest(str(fault)) from fault
    terms = tuple(("label", f"{k}={v}") for k, v in by_label.equalities) if by_label is not None else ()
    equal = dict(by_field.equalities) if by_field is not None else {}
    for kind, field, term in INDEXED:
        if resource.row.id == kind and equal.get(field):
            terms += ((term, equal[field]),)
    return Selection(
        terms=terms,
        matches=_matcher(resource, by_label, by_field),
        name=equal.get("metadata.name"),
        namespace=equal.get("metadata.namespace"),
    )


def _matcher(resource: Resource, by_label: Selector | None, by_field: FieldSelector | None) -> Callable[[Obj], bool]:
    def matches(obj: Obj) -> bool:
        if by_label is not None and not by_label.matches(obj["metadata"].get("labels") or {}):
            return False
        return by_field is None or by_field.matches(lambda field: resource.field(obj, field))

    return matches
