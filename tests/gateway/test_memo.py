"""Remembering changes no answer: a decision with memory equals one without, whatever happened in between."""

from hypothesis import given, settings
from hypothesis import strategies as st

from madang.gateway.difference import Reload, difference
from madang.gateway.memo import Memo
from madang.gateway.routes import routes
from madang.ports.objects import Obj
from tests.gateway import objects
from tests.gateway.objects import FakeView, endpoint, gateway, gateway_class, path, route, rule, service, slices

NAMES = ["a", "b", "c"]
step = st.tuples(
    st.sampled_from(["services", "slices", "routes", "drop"]),
    st.sampled_from(NAMES),
    st.integers(0, 3),
)


def changed(house: dict[str, dict[str, Obj]], what: str, name: str, variant: int, revision: int) -> None:
    if what == "drop":
        house[("services", "slices", "routes")[variant % 3]].pop(name, None)
        return
    made = {
        "services": lambda: service(name, 80 + variant % 2, clusterIP=f"10.2.0.{NAMES.index(name)}"),
        "slices": lambda: slices(name, *(endpoint(f"10.1.0.{i}", f"p{i}", i != 2) for i in range(variant))),
        "routes": lambda: route(
            name, rule((NAMES[variant % 3], 80), matches=[path(f"/{variant}")]), hosts=[f"{name}.test", "*.test"]
        ),
    }[what]()
    made["metadata"]["resourceVersion"] = str(revision)
    house[what][name] = made


@settings(max_examples=60, deadline=None)
@given(st.lists(step, max_size=15))
def test_with_and_without_memory(steps: list[tuple[str, str, int]]) -> None:
    memo, house = Memo(), {"services": {}, "slices": {}, "routes": {}}  # type: ignore[var-annotated]
    before = None
    for revision, (what, name, variant) in enumerate(steps, 1):
        changed(house, what, name, variant, revision)
        kinds = {kind: list(found.values()) for kind, found in house.items()}
        view = FakeView(classes=[gateway_class()], gateways=[gateway()], **kinds)
        remembered = routes(view, objects.settings(), memo)
        fresh = routes(view, objects.settings())
        assert remembered.desired == fresh.desired
        assert [a.reason for a in remembered.attachments] == [a.reason for a in fresh.attachments]
        if before is not None:
            todo = difference(before, remembered.desired)
            assert isinstance(todo, Reload) or bool(todo) == (before != remembered.desired)
        before = remembered.desired
