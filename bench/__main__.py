"""Lists the benches, or runs those that are named (`all`: every one).

A bench is a module of this folder with `main() -> None`; the first line of its docstring says what it measures.
"""

import ast
import sys
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).parent


def benches() -> dict[str, str]:
    """Name to first docstring line, of every module that defines `main`."""
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        tree = ast.parse(path.read_text())
        if not path.stem.startswith("__") and any(
            isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body
        ):
            found[path.stem] = (ast.get_docstring(tree) or "").split("\n")[0]
    return found


def run(names: list[str]) -> int:
    known = benches()
    if not names:
        print("usage: python -m bench NAME ... | all\n")
        for name, about in known.items():
            print(f"  {name:12} {about}")
        return 0
    unknown = [name for name in names if name not in known and name != "all"]
    if unknown:
        print(f"no such bench: {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    for name in known if "all" in names else names:
        import_module(f"bench.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
