"""Which packages a folder names, file by file, and what is refused."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.dockerfile.refusal import Refused
from madang.node.images.build.requirements import Requirements, required


def of(files: Mapping[str, str], pyproject: Mapping[str, Any] | None = None) -> Requirements:
    return required(pyproject or {}, files.get)


def test_files_that_are_named_are_taken_in() -> None:
    found = of(
        {
            "requirements.txt": "# all\n-r deps/web.txt\n-c limits.txt\n-e .[dev]\n.\nredis==5 \\\n  --hash=sha256:1\n",
            "deps/web.txt": "--find-links ../wheels\n--find-links=more\nflask  # serves\n-i https://index/simple\n",
            "limits.txt": "flask<4\n",
        }
    )
    assert found.lines == (
        "--find-links wheels", "--find-links deps/more", "flask", "-i https://index/simple", "redis==5 --hash=sha256:1",
    )  # fmt: skip
    assert found.constraints == ("flask<4",)
    assert (found.origin, found.any) == ("requirements.txt", True)


def test_requirements_count_before_the_project() -> None:
    project = {"project": {"dependencies": ["flask"]}}
    assert of({"requirements.txt": "flask==3"}, project).lines == ("flask==3",)
    assert of({}, project) == Requirements(("flask",), (), "pyproject.toml")
    assert not of({"requirements.txt": "--no-index\n"}).any


@pytest.mark.parametrize(
    ("files", "project", "message"),
    [
        ({"requirements.txt": "-r no.txt"}, {}, 'requirements.txt line 1: "no.txt" is not in the folder'),
        ({"requirements.txt": "\n-r requirements.txt"}, {}, "requirements.txt line 2: .* leads back to itself"),
        ({"requirements.txt": "./lib"}, {}, 'requirements.txt line 1: "./lib": only packages that come as wheels'),
        ({"requirements.txt": "-e git+https://x/y"}, {}, "only packages that come as wheels"),
        ({}, {"project": {"dependencies": ["me @ file:///home/me"]}}, "lies on this machine alone"),
        ({}, {"project": {"dependencies": "flask"}}, "expected a list of strings, found 'flask'"),
        ({}, {"project": {"dynamic": ["dependencies"]}}, "add a requirements.txt"),
        ({}, {"tool": {"poetry": {}}}, "poetry export -o requirements.txt"),
        ({}, {}, r"there is no \[project\]"),
    ],
)
def test_refusals(files: dict[str, str], project: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message):
        of(files, project)


@given(st.text(alphabet="ab=.\\\n #", max_size=40))
def test_every_package_is_taken_once_and_comments_never(text: str) -> None:
    try:
        found = of({"requirements.txt": text})
    except Refused:
        return
    assert all(line and line == line.strip() for line in found.lines)
    assert not any(" #" in line or line.startswith("#") for line in found.lines)
