"""What a changed file belongs to."""

import asyncio
from pathlib import Path
from typing import Any, cast

from madang.app import fresh
from madang.app.fresh import as_many, touched, watch_sources
from madang.app.watching import Todo
from tests.app.compose.project_files import application


def test_a_changed_source_belongs_to_its_services(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text('FROM python:3.11\nCMD ["x"]\n')
    (tmp_path / "a" / ".dockerignore").write_text("tests\n")
    made = application(tmp_path, "services: {one: {build: a}, two: {build: a}, three: {build: b}}")
    folders = watch_sources(made)
    assert touched(folders, [tmp_path / "a" / "x.py"]) == ["one", "two"]
    assert touched(folders, [tmp_path / "b" / "deep" / "x.py"]) == ["three"]
    assert touched(folders, [tmp_path / "a" / "tests" / "x.py", tmp_path / "a" / "__pycache__" / "x.pyc"]) == []
    assert touched(folders, [tmp_path / "compose.yaml"]) == []


def test_a_changed_source_is_another_image(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Dockerfile").write_text('FROM python:3.11\nCMD ["x"]\n')
    text = "services: {one: {build: a}}"
    before = application(tmp_path, text)
    (tmp_path / "a" / "x.py").write_text("1")
    assert application(tmp_path, text).objects != before.objects


def test_a_saved_source_takes_back_no_scaling(tmp_path: Path) -> None:
    host = "image: madang.dev/host, command: x"
    one = application(tmp_path, f"services: {{a: {{{host}}}, b: {{{host}}}, c: {{{host}}}}}").objects
    two = application(tmp_path, f"services: {{a: {{{host}}}, b: {{{host}, scale: 4}}, c: {{{host}}}}}").objects
    live = {"a": {"spec": {"replicas": 3}}, "b": {"spec": {"replicas": 3}}}
    found = as_many(one, two, live)
    assert [o["spec"]["replicas"] for o in found if o["kind"] == "Deployment"] == [3, 4, 1]
    assert [o["kind"] for o in found] == [o["kind"] for o in two]


def test_what_an_editor_writes_while_it_saves_is_no_change(tmp_path: Path) -> None:
    for name in (".a.py.swp", ".a.py.swx", "a.py~", ".#a.py", "#a.py#", "a.py___jb_tmp___", "a.py___jb_old___"):
        (tmp_path / name).touch()
        assert fresh.temporary(tmp_path / name), name
    for name in ("sedx1Yz9Q", "4913"):
        assert fresh.temporary(tmp_path / name), name
        (tmp_path / name).touch()
        assert not fresh.temporary(tmp_path / name), name
    assert not any(fresh.temporary(tmp_path / name) for name in ("a.py", "sed", "a.swift", ".env", "#notes.md"))


def test_a_file_that_may_not_be_read_ends_no_watch(tmp_path: Path) -> None:
    """It ended all that runs; now the service is made anew instead."""
    said: list[str] = []

    class Closed(fresh.Reaching):
        async def done(self, service: str, one: Todo) -> None:
            raise PermissionError(13, "Permission denied", "a.key")

    reaching = Closed(cast(Any, None), cast(Any, None), said.append, None)
    assert asyncio.run(reaching.carry_out({"web": Todo(restart=True)}, [tmp_path])) == ["web"]
    assert said == ["web: [Errno 13] Permission denied: 'a.key'"]
