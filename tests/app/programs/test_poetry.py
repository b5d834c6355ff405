"""Poetry's dependencies as requirements."""

import pytest

from madang.app.programs.poetry import constraint, requirements


@pytest.mark.parametrize(
    ("text", "specifier"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1"),
        ("^24.1.0-rc.1", ">=24.1.0-rc.1,<25"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1", ">=1,<2"),
        ("~=2.1", "~=2.1"),
        ("1.2", "==1.2"),
        ("1.*", "==1.*"),
        (">= 1.0, <2.0", ">=1.0,<2.0"),
        (">=1.0 <2.0", ">=1.0,<2.0"),
        ("*", ""),
    ],
)
def test_constraints(text: str, specifier: str) -> None:
    assert constraint(text) == specifier


def test_a_table() -> None:
    table = {
        "python": "^3.11",
        "flask": "^3.0",
        "uvicorn": {"version": "*", "extras": ["standard"]},
        "tomli": {"version": "^2", "markers": "python_version < '3.11'"},
        "mine": {"git": "https://x.test/mine.git", "tag": "v1"},
        "wheel": {"url": "https://x.test/w.whl"},
        "left": {"version": "1", "optional": True},
        "two": [{"version": "1", "python": "<3"}, {"version": "2"}],
    }
    assert requirements(table) == [
        "flask>=3.0,<4",
        "uvicorn[standard]",
        "tomli>=2,<3 ; python_version < '3.11'",
        "mine @ git+https://x.test/mine.git@v1",
        "wheel @ https://x.test/w.whl",
        "two==1 ; python_version < '3'\ntwo==2",
    ]


@pytest.mark.parametrize("value", [{"path": "../libs"}, "^1 || ^2"])
def test_what_has_no_form_is_named(value: object) -> None:
    with pytest.raises(ValueError, match=r"has no version|alternatives"):
        requirements({"lib": value})
