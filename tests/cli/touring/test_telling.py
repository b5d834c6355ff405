"""Figures with their units, commands as they can be copied, boxes that fill nodes."""

import yaml

from madang.cli.touring.steps.packing import BOXES, FIT, boxes, fullness
from madang.cli.touring.telling import figure, shown


def test_a_figure_carries_the_unit_of_its_name() -> None:
    assert figure("ready_s", 4.528) == "4.53 s" and figure("page_ms", 29.7) == "30 ms"
    assert figure("failed", 0) == "0" and figure("programs", "7/7") == "7/7"
    assert figure("answers", {"a": 10, "b": 10}) == "a 10  b 10"


def test_commands_can_be_pasted() -> None:
    assert shown(["madang", "scale", "cart", "3"]) == "madang scale cart 3"
    assert shown(["madang", "exec", "web", "a b"], {"SHOP_PORT": "1"}) == "SHOP_PORT=1 madang exec web 'a b'"


def test_boxes_are_shares_of_a_node() -> None:
    found = list(yaml.safe_load_all(boxes(666)))
    asked = {p["metadata"]["name"]: p["spec"]["containers"][0]["resources"]["requests"]["cpu"] for p in found}
    assert list(asked) == list(BOXES) and asked["box-a"] == "399m"
    placed = {"box-a": "n1", "box-b": "n2", "box-c": "n1", "box-d": "n2", "box-e": "n3", "box-f": ""}
    pods = [{"metadata": {"name": n}, "spec": {"nodeName": node}} for n, node in placed.items()]
    assert fullness(pods, {"n3": 1, "n1": 1, "n2": 1}) == {"n1": 100, "n2": 100, "n3": 30}
    assert sum(BOXES[box] for box in FIT) <= 300 - (100 - BOXES["box-f"]), "what fits must leave no room for the last"
