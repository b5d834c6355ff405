"""The documents for learners, in pairs, and what stands in them: headings, commands, code, pictures, links.

In: a Markdown file. Out: its parts as values, for the tests that compare two languages and that run the commands.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("outer-architecture", "inner-architecture", "reactive", "dashboard")
PAIRS = [
    (ROOT / "README.md", ROOT / "README.ko.md"),
    *((ROOT / "docs" / f"{n}.md", ROOT / "docs" / f"{n}.ko.md") for n in NAMES),
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
CELLS = re.compile(r"(?<!\\)[|]")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def blocks(text: str, kind: str) -> list[str]:
    return [body for found, body in FENCE.findall(text) if found == kind]


def commands(text: str) -> list[str]:
    """Lines that one types."""
    return [line[2:] for body in blocks(text, "console") for line in body.splitlines() if line.startswith("$ ")]


def spans(text: str) -> list[str]:
    """Commands in a line of prose or in a table."""
    bare = FENCE.sub("", text)
    found = (" ".join(span.split()) for span in SPAN.findall(bare))  # one may be broken at the end of a line
    return [span for span in found if span.startswith(("madang ", "./dev "))]


def shape(text: str) -> list[str]:
    """Levels of headings, rows of tables by their number of cells, and lists, in order: what a translation keeps."""
    found = []
    for line in FENCE.sub("", text).splitlines():
        if heading := re.match(r"(#+) ", line):
            found.append(heading[1])
        elif line.startswith("|"):
            found.append(f"row of {len(CELLS.split(line)) - 2}")
    return found


def links(text: str) -> list[str]:
    return LINK.findall(FENCE.sub("", text))
