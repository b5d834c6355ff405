"""Lets controllers decide until nothing more happens; a make-believe node starts and ends pods on the way."""

from collections.abc import Iterable, Sequence
from typing import Any

from madang.control.controller import Ref
from madang.ports.actions import Action, Wake
from tests.view import House


def decided(controller: Any, house: House, name: str, namespace: str = "default") -> Sequence[Action]:
    actions: Sequence[Action] = controller.decide(Ref(namespace, name), house, house.now, house.chance)
    return actions


def step(controller: Any, house: House, name: str, namespace: str = "default") -> bool:
    """One decision carried out; whether it wanted anything."""
    actions = decided(controller, house, name, namespace)
    house.carry_out(actions)
    return any(not isinstance(a, Wake) for a in actions)


def keys(controller: Any, house: House) -> list[tuple[str, str]]:
    own = next(iter(controller.WATCHES))
    return [(ns, name) for kind, ns, name in sorted(house.objects) if kind == own]


def settle(house: House, controllers: Iterable[Any], rounds: int = 60) -> None:
    """Every controller over all of its keys, until a whole round wants nothing."""
    chosen = list(controllers)
    for _ in range(rounds):
        busy = [step(c, house, name, ns) for c in chosen for ns, name in keys(c, house)]
        if not any(busy):
            return
    raise AssertionError(f"did not settle in {rounds} rounds")


def run_pods(house: House, *, ready: bool = True) -> int:
    """The node's part: what waits is started, what is to go is gone. How many pods changed."""
    changed = 0
    for pod in list(house.list("pods")):
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        if "deletionTimestamp" in pod["metadata"]:
            house.remove("pods", namespace, name)
        elif pod["status"]["phase"] == "Pending":
            house.start(name, ready=ready, namespace=namespace)
        else:
            continue
        changed += 1
    return changed


def live(house: House, controllers: Iterable[Any]) -> None:
    """Controllers and node together, until nothing more happens."""
    chosen = list(controllers)
    for _ in range(100):
        settle(house, chosen)
        if not run_pods(house):
            return
    raise AssertionError("pods never came to rest")
