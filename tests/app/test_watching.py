"""What a changed file means to a service that says so itself."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang import app
from madang.app.fresh import watch_sources, without
from madang.app.watching import Rule, Todo, todo
from tests.app.compose.project_files import application

TEXT = """
services:
  web:
    build: web
    develop:
      watch:
        - {action: sync+restart, path: ./web/src, target: /app/src/, ignore: ["*.md", tests/]}
        - {action: sync, path: ./web/page.html, target: /srv/index.html}
        - {action: rebuild, path: ./web/requirements.txt}
        - {action: sync+exec, path: web/conf, target: /etc/app, include: "*.conf", exec: {command: [app, --reload]}}
  other: {build: web}
"""


def made(tmp_path: Path) -> app.Application:
    (tmp_path / "web").mkdir(exist_ok=True)
    (tmp_path / "web" / "Dockerfile").write_text('FROM python:3.11\nCMD ["x"]\n')
    return application(tmp_path, TEXT)


def test_each_rule_says_what_is_to_be_done(tmp_path: Path) -> None:
    rules, web = made(tmp_path).rules, tmp_path / "web"
    due = todo(rules, [web / "src/deep/a.py", web / "page.html"])
    files = {web / "src/deep/a.py": "/app/src/deep/a.py", web / "page.html": "/srv/index.html"}
    assert due == {"web": Todo(False, files, restart=True)}
    assert todo(rules, [web / "requirements.txt"])["web"].rebuild
    assert todo(rules, [web / "conf/a.conf"])["web"].commands == (("app", "--reload"),)
    ignored = ("src/note.md", "src/tests/a.py", "src/__pycache__/a.pyc", "conf/a.txt", "else.py", "src2/a.py")
    assert todo(rules, [web / name for name in ignored]) == {}


def test_who_has_rules_is_not_watched_besides(tmp_path: Path) -> None:
    assert watch_sources(made(tmp_path)) == {tmp_path / "web": ["other"]}


def test_what_its_rules_look_after_stays_when_others_are_built(tmp_path: Path) -> None:
    before = made(tmp_path)
    (tmp_path / "web" / "x.py").write_text("new")
    after = made(tmp_path)
    mixed = without(after, before, {"web"})
    images = {
        o["metadata"]["name"]: o["spec"]["template"]["spec"]["containers"][0]["image"]
        for o in mixed.objects
        if o["kind"] == "Deployment"
    }
    old, new = before.builds[0], after.builds[1]
    assert [b.service for b in mixed.builds] == ["other"] and old.service == "web" and new.service == "other"
    assert images["web"] in repr(before.objects) and images["other"] in repr(after.objects)
    assert images["web"] not in repr(after.objects)


def test_faults_name_the_rule(tmp_path: Path) -> None:
    text = "services: {a: {image: madang.dev/host, command: x, develop: {watch: [%s]}}}"
    for rule, said in (
        ("{action: sync, path: x}", "sync wants a target"),
        ("{action: sync+exec, path: x, target: /x}", "wants exec"),
        ("{action: sync, path: x, target: /x, ignore: '['}", "line"),
    ):
        with pytest.raises(app.ApplicationError, match=said):
            application(tmp_path, text % rule)


paths = st.lists(st.sampled_from(["a", "b", "x/c", "x/y/d"]), unique=True)


@given(paths, paths)
def test_more_changes_never_ask_for_less(some: list[str], more: list[str]) -> None:
    rules = [
        Rule("s", "sync", Path("/p/x"), "/x"),
        Rule("s", "rebuild", Path("/p/a")),
        Rule("t", "restart", Path("/p")),
    ]
    few = todo(rules, [Path("/p") / name for name in some])
    many = todo(rules, [Path("/p") / name for name in (*some, *more)])
    assert few.keys() <= many.keys()
    assert all(few[s].files.items() <= many[s].files.items() and few[s].rebuild <= many[s].rebuild for s in few)
