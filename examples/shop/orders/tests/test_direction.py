"""The direction of imports: domain <- application <- adapters, never the other way."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent / "orders"
MAY = {"domain": {"domain"}, "application": {"domain", "application"}}


def test_inner_rings_do_not_know_the_outer_ones() -> None:
    for ring, allowed in MAY.items():
        for path in (ROOT / ring).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("orders."):
                    target = (node.module or "").split(".")[1]
                    assert target in allowed, f"{ring}/{path.name}:{node.lineno} imports orders.{target}"


def test_inner_rings_know_no_library() -> None:
    for ring in MAY:
        for path in (ROOT / ring).glob("*.py"):
            text = path.read_text()
            assert "httpx" not in text and "starlette" not in text and "sqlite3" not in text, path
