"""The house style as a test: sizes, docstrings, names, imports that run one way. Each failure says the remedy."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
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


@cache
def imports(top: Path) -> dict[str, dict[str, str]]:
    """By module: the modules below `top` that it imports, with the place. An import counts wherever it stands: one for
    types alone (TYPE_CHECKING), or inside a function, ties its reader just as much."""
    paths = {".".join(p.relative_to(top).with_suffix("").parts).removesuffix(".__init__"): p for p in top.rglob("*.py")}
    found: dict[str, dict[str, str]] = {m: {} for m in paths}
    for module, path in paths.items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        for node in ast.walk(ast.parse(path.read_text())):
            for name in imported(node, package):
                known = name if name in paths else name.rpartition(".")[0]
                if known in paths and known != module:
                    found[module].setdefault(known, f"{path.relative_to(top)}:{node.lineno}")  # type: ignore[attr-defined]
    return found


def imported(node: ast.AST, package: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [a.name for a in node.names]
    if isinstance(node, ast.ImportFrom):
        parts = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
        base = ".".join([*parts, *([node.module] if node.module else [])])
        return [f"{base}.{a.name}" for a in node.names]
    return []


def circle(found: dict[str, dict[str, str]]) -> list[str]:
    """One circle of imports, as the places that make it; empty where there is none."""
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        around = error.args[1][::-1]
        return [f"{found[a][b]} imports {b}" for a, b in pairwise(around)]
    return []


def test_imports_run_one_way() -> None:
    around = circle(imports(ROOT / "src"))
    assert not around, (
        "these modules import each other in a circle, so that none can be read first:\n  "
        + "\n  ".join(around)
        + "\nPut what they share (a value, a narrow Protocol) into a module below them; an import under TYPE_CHECKING "
        "or inside a function only hides the circle"
    )


def units(found: dict[str, dict[str, str]], package: str) -> dict[str, dict[str, str]]:
    """The same for what lies directly in a package: its modules and its folders, each folder as one."""
    inside: dict[str, dict[str, str]] = {}
    for module, others in found.items():
        for other, place in others.items():
            if module.startswith(f"{package}.") and other.startswith(f"{package}."):
                one, two = (m[len(package) + 1 :].split(".")[0] for m in (module, other))
                inside.setdefault(one, {})
                if one != two:
                    inside[one].setdefault(two, place)
    return inside


@pytest.mark.parametrize("package", [p.parent for p in SOURCES if p.name == "__init__.py"], ids=name)
def test_folders_stand_above_what_they_use(package: Path) -> None:
    around = circle(units(imports(ROOT / "src"), ".".join(package.relative_to(ROOT / "src").parts)))
    assert not around, (
        f"in {name(package)} these use each other in a circle:\n  "
        + "\n  ".join(around)
        + "\nMove the module that ties them to where it stands above or below both"
    )


@pytest.mark.parametrize(
    "back",
    ["from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.a import A", "def f():\n    from . import a"],
)
def test_a_hidden_circle_is_seen(tmp_path: Path, back: str) -> None:
    for file, text in (("__init__", ""), ("a", "from p.b import B"), ("b", "import p.c"), ("c", back)):
        (tmp_path / "p").mkdir(exist_ok=True)
        (tmp_path / "p" / f"{file}.py").write_text(text)
    around = circle(imports(tmp_path))
    assert sorted(line.split(":")[0] for line in around) == ["p/a.py", "p/b.py", "p/c.py"]
    imports.cache_clear()
    (tmp_path / "p" / "c.py").write_text("")
    assert circle(imports(tmp_path)) == []


def test_a_circle_of_folders_is_seen() -> None:
    found = {"p.a.x": {"p.b.y": "p/a/x.py:1"}, "p.b.z": {"p.a.w": "p/b/z.py:1"}, "p.b.y": {}, "p.a.w": {}}
    assert circle(found) == [] and len(circle(units(found, "p"))) == 2
