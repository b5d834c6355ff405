"""Columns that many kinds share, and the small texts that cells are made of.

In: objects, and the hour where an age is shown. Out: `Column` values and cells, as the API server prints them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from madang.kinds import ages
from madang.kinds.kind import Column
from madang.ports.objects import Obj

Cell = Callable[[Obj], Any]


@cache
def _descriptions() -> Mapping[str, str]:
    loaded: Mapping[str, str] = json.loads(Path(__file__).with_name("descriptions.json").read_text("utf-8"))
    return loaded


def described(text: str) -> str:
    """A field's own description where `text` names one (`core.v1.PodStatus.podIP`), else the text."""
    return _descriptions().get(text, text)


def column(name: str, kind: str, description: str, cell: Cell, *, wide: bool = False, form: str = "") -> Column:
    """A column whose cell doesn't ask for the hour; `wide` ones are shown by -o wide."""
    return Column(name, kind, described(description), lambda obj, _: cell(obj), form, 1 if wide else 0)


def timed(name: str, description: str, cell: Callable[[Obj, float], Any], *, wide: bool = False) -> Column:
    return Column(name, "string", described(description), cell, "", 1 if wide else 0)


NAME = column("Name", "string", "meta.v1.ObjectMeta.name", lambda obj: obj["metadata"].get("name", ""), form="name")
AGE = timed(
    "Age",
    "meta.v1.ObjectMeta.creationTimestamp",
    lambda obj, now: ages.since(obj["metadata"].get("creationTimestamp"), now),
)


def at(obj: Obj, *path: str, default: Any = "") -> Any:
    """A value deep inside; `default` where a step is missing or null."""
    value: Any = obj
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return default if value is None else value


def _template_containers(obj: Obj) -> Sequence[Obj]:
    found: Sequence[Obj] = at(obj, "spec", "template", "spec", "containers", default=())
    return found


CONTAINERS = column(
    "Containers", "string", "Names of each container in the template.",
    lambda obj: ",".join(c.get("name", "") for c in _template_containers(obj)), wide=True,
)  # fmt: skip
IMAGES = column(
    "Images", "string", "Images referenced by each container in the template.",
    lambda obj: ",".join(c.get("image", "") for c in _template_containers(obj)), wide=True,
)  # fmt: skip


def selector_text(selector: Obj | None) -> str:
    """A LabelSelector in the text form of selectors, by key: `app=web,tier in (a,b),!old`."""
    if selector is None:
        return ""
    asked = [(key, f"{key}={value}") for key, value in (selector.get("matchLabels") or {}).items()]
    for rule in selector.get("matchExpressions") or ():
        key, values = rule.get("key", ""), ",".join(sorted(rule.get("values") or ()))
        asked.append((key, {
            "In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key, "DoesNotExist": f"!{key}",
        }.get(rule.get("operator", ""), "<invalid>")))  # fmt: skip
    return ",".join(text for _, text in sorted(asked, key=lambda item: item[0]))


def selector_or_none(selector: Obj | None) -> str:
    return selector_text(selector) or "<none>"


def labels_text(labels: Mapping[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or "<none>"


def first_few(items: Sequence[str], shown: int = 3, glue: str = ",") -> str:
    """`a,b,c + 2 more...`; `<unset>` for none."""
    if not items:
        return "<unset>"
    text = glue.join(items[:shown])
    return f"{text} + {len(items) - shown} more..." if len(items) > shown else text
