"""What Madang speaks of the Kubernetes API, as rows for the generated docs/compatibility.md.

In: the kind table. Out: one line a kind and version, with its verbs and subresources, and whether anything acts on it;
and the fields that are stored without effect.
"""

from typing import NamedTuple

from madang.kinds.kind import ALL_VERBS
from madang.kinds.table import REVIEWS, SERVED
from madang.kinds.warnings import ignored


class Line(NamedTuple):
    api_version: str
    kind: str
    resource: str
    verbs: tuple[str, ...]
    subresources: tuple[str, ...]
    acted: bool
    note: str


def lines() -> tuple[Line, ...]:
    """By group version, then by resource; the core group first."""
    found = [
        Line(
            served.api_version,
            served.kind.kind,
            served.kind.plural,
            tuple(sorted(served.kind.verbs)),
            tuple(sorted(sub.name for sub in served.kind.subresources)),
            served.kind.acted,
            f"the same objects as {served.kind.api_version}" if served.conversion else "",
        )
        for served in (*SERVED, *REVIEWS)
    ]
    return tuple(sorted(found, key=lambda line: ("/" in line.api_version, line.api_version, line.resource)))


def markdown() -> str:
    """The table of kinds as the document shows it."""
    rows = ["| API | kind | verbs | subresources | acted on |", "|---|---|---|---|---|"]
    for line in lines():
        verbs = "all" if set(line.verbs) == set(ALL_VERBS) else ", ".join(line.verbs)
        acted = ("yes" if line.acted else "stored only") + (f"; {line.note}" if line.note else "")
        rows.append(f"| {line.api_version} | {line.kind} | {verbs} | {', '.join(line.subresources)} | {acted} |")
    return "\n".join(rows) + "\n"


def ignored_markdown() -> str:
    """The fields that are stored without effect; a template's are its pod's and not named again."""
    rows = ["| kind | field |", "|---|---|"]
    for kind, fields in ignored.FIELDS.items():
        rows += [f"| {kind} | `{field.path}` |" for field in fields if ".template.spec." not in field.path]
    return "\n".join(rows) + "\n"
