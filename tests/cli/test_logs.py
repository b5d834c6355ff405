"""A line of a log as a person and as a script gets it."""

import json

import pytest

from madang.cli.logs import show


def test_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    show("web-1 | ", b"caf\xc3\xa9 \xff")
    assert capsys.readouterr().out == "web-1 | caf\u00e9 \ufffd\n"


def test_a_line_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    show({"pod": "web-1", "container": "web"}, b'say "hi"')
    assert json.loads(capsys.readouterr().out) == {"pod": "web-1", "container": "web", "line": 'say "hi"'}
