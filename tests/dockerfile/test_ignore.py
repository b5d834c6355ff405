import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.dockerfile.ignore import Ignore


@pytest.mark.parametrize(
    ("text", "out", "stays"),
    [
        ("*.md\n!README.md\n", ["a.md"], ["README.md", "x/a.md", "a.mdx"]),
        ("README*.md\n!README.md\nREADME-secret.md", ["README-secret.md", "README1.md"], ["README.md"]),
        ("**/*.pyc", ["a.pyc", "x/y/a.pyc"], ["a.py"]),
        ("# c\n /node_modules/ \n", ["node_modules", "node_modules/a/b"], ["x/node_modules"]),
        ("**/node_modules", ["node_modules", "a/node_modules/b"], ["node_modules2", "xnode_modules"]),
        ("**foo", ["xfoo", "a/xfoo"], ["foox"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "ab"]),
        ("a/**/z", ["a/z", "a/b/c/z"], ["a/b/c", "z"]),
        ("*\n!src\nsrc/*.log", ["x", "x/y", "src/a.log"], ["src", "src/a", "src/b/c"]),
        ("a?[b-d]", ["axc", "a.b"], ["ac", "axe", "a/c"]),
        ("[^a]x", ["bx"], ["ax", "/x"]),
        ("a\\*b", ["a*b"], ["axb"]),
        ("./a/../b", ["b"], ["a"]),
        ("*/temp*", ["x/temp", "x/temps/a"], ["temp", "x/y/temp"]),
        ("a.c", ["a.c"], ["abc"]),
        ("**", ["a", "b/c"], []),
    ],
)
def test_what_is_left_out(text: str, out: list[str], stays: list[str]) -> None:
    ignore = Ignore(text)
    assert {path: ignore.left_out(path) for path in out + stays} == {p: p in out for p in out + stays}


@pytest.mark.parametrize("text", ["[a", "a\\", "[]a]", "!"])
def test_bad_patterns_are_named(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(".dockerignore")):
        Ignore(f"x\n{text}\n")


PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)


@given(st.lists(PATHS, max_size=4), PATHS)
def test_plain_lines_leave_out_themselves_and_all_below(lines: list[str], path: str) -> None:
    wanted = any(path == line or path.startswith(f"{line}/") for line in lines)
    assert Ignore("\n".join(lines)).left_out(path) == wanted


@given(st.text(alphabet="ab*?[]-^!\\/.# ", max_size=12), PATHS)
def test_any_line_is_read_or_named(text: str, path: str) -> None:
    try:
        ignore = Ignore(text)
    except ValueError:
        return
    assert ignore.left_out(path) in (True, False)
