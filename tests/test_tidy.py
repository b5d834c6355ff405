"""The house style as a test: sizes, docstrings, names. Each failure says the remedy."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
EVERYTHING = sorted(p for d in ("src", "tests", "bench", "tools", "examples") for p in (ROOT / d).rglob("*.py"))
FILE_LINES, FUNCTION_LINES, CLASS_METHODS = 600, 60, 15
VAGUE = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", EVERYTHING, ids=name)
def test_sizes_and_names(path: Path) -> None:
    text = path.read_text()
    lines = text.count("\n")
    assert lines <= FILE_LINES, f"{name(path)} has {lines} lines: split it by noun (at most {FILE_LINES})"
    assert path.stem not in VAGUE, f"{name(path)}: a module is named after what it is, not `{path.stem}`"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= FUNCTION_LINES, (
                f"{name(path)}:{node.lineno} {node.name} has {length} lines: branches in the parent, straight work "
                f"in functions of their own (at most {FUNCTION_LINES})"
            )
        if isinstance(node, ast.ClassDef):
            methods = [n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
            assert len(methods) <= CLASS_METHODS or is_protocol(node), (
                f"{name(path)}:{node.lineno} {node.name} has {len(methods)} methods: it is two nouns "
                f"(at most {CLASS_METHODS})"
            )


def is_protocol(node: ast.ClassDef) -> bool:
    return any(isinstance(b, ast.Name) and b.id == "Protocol" for b in node.bases)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), (
        f"{name(path)}: open with what it is for, what comes in, what goes out"
    )
