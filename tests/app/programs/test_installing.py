"""`pip install` in a Dockerfile, as words for the installer here."""

import pytest

from madang.app.programs.installing import installed, origin
from madang.app.programs.stage import last_stage
from madang.dockerfile.parsing import parse

COPIES = [("requirements.txt", "/app/"), ("requirements", "/req"), (".", "/srv/")]


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("pip install flask 'gunicorn>=21'", [("", "flask"), ("", "gunicorn>=21")]),
        ("python -m pip install --no-cache-dir -q flask==3.0 > /dev/null", [("", "flask==3.0")]),
        ("pip install -r requirements.txt", [("-r", "requirements.txt")]),
        ("pip3 install --requirement=/req/prod.txt", [("--requirement", "requirements/prod.txt")]),
        ("uv pip install --system -r /srv/deep/more.txt", [("-r", "deep/more.txt")]),
        ("pip install --prefix /install --index-url https://x.test a", [("--index-url", "https://x.test"), ("", "a")]),
        ("pip install -r https://x.test/r.txt --pre", [("-r", "https://x.test/r.txt"), ("--pre", "")]),
        ("pip install --upgrade pip setuptools wheel", []),
        ("pip install -e .[prod] ./", []),
        ("pip install 'poetry==1.8' poetry-plugin-x uv", [("", "poetry-plugin-x")]),
    ],
)
def test_what_is_installed_here(command: str, wanted: list[tuple[str, str]]) -> None:
    made = installed(command, "/app", COPIES)
    assert made is not None and list(made.wanted) == wanted and not made.left


def test_what_only_an_image_has_is_left() -> None:
    made = installed("pip install ./libs/common flask -r /elsewhere/r.txt", "/app", COPIES)
    assert made is not None and made.left == ("./libs/common", "/elsewhere/r.txt") and made.wanted == (("", "flask"),)


@pytest.mark.parametrize("command", ["apt-get install python3-pip", "npm install", "pip install 'unbalanced"])
def test_other_commands_install_nothing(command: str) -> None:
    assert installed(command, "/", []) is None


def test_a_path_of_the_image_is_looked_for_where_it_came_from() -> None:
    assert origin("../req/a.txt", "/app", COPIES) == "requirements/a.txt"
    assert origin("/nowhere/a.txt", "/app", COPIES[:2]) == ""


def test_a_stage_collects_what_its_steps_install_in_either_form() -> None:
    text = """FROM python:3
RUN apt-get update && pip install flask
RUN ["pip", "install", "redis"]
RUN pip install ./x
RUN poetry config a b && poetry install
"""
    stage = last_stage(parse(text))
    assert stage.packages == [("", "flask"), ("", "redis")]
    assert [told.split(":")[0] for told in stage.undone] == ["line 2", "line 4"]
