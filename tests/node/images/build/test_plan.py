"""Plans as values: what is done, in which order, under which key, and what the image says of itself."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.dockerfile.parsing import parse
from madang.dockerfile.refusal import Refused
from madang.node.images.build.plan import Request, plan
from madang.node.images.build.remotes import Remote
from madang.node.images.build.steps import CONTEXT, Base, Files, Folder, Plan, Run, Source, Wanted

ENTRY = {"created": "1980-01-01T00:00:00Z", "comment": "buildkit.dockerfile.v0"}
DEBIAN = Base("sha256:1", {"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": ["bash"]}})


class Folders:
    """The build's folder as a value: what a path holds."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files

    def digest(self, patterns: tuple[str, ...], parents: bool = False) -> str:
        found = [
            (p, self.files[p]) for pattern in patterns for p in sorted(self.files) if p == pattern or pattern == "."
        ]
        if patterns and not found:
            raise FileNotFoundError(patterns[0])
        return repr(found)

    def fetched(self, one: Remote) -> str:
        return one.url


def planned(
    text: str, files: Mapping[str, str] | None = None, bases: Mapping[str, Base] | None = None, **how: Any
) -> Plan:
    known = {"debian": DEBIAN} if bases is None else bases
    found = plan(parse(text), Request(**how), known, Folders(files or {"a": "1", "b": "2"}))
    assert isinstance(found, Plan)
    return found


def settings(text: str, **how: Any) -> dict[str, Any]:
    found: dict[str, Any] = planned(text, **how).target.config["config"]
    return found


def history(text: str, **how: Any) -> list[str]:
    return [h["created_by"] for h in planned(text, **how).target.config["history"]]


def test_a_whole_stage() -> None:
    found = planned(
        'ARG V=1\nFROM debian AS one\nARG V\nENV A=$V B="x y"\nWORKDIR /app\nWORKDIR src\nCOPY --chown=me a ./\n'
        'USER me\nRUN make $A\nEXPOSE 80 53/udp\nCMD ["run", "it"]\n'
    )
    (stage,) = found.stages
    assert (stage.name, stage.base) == ("one", Source(image="debian"))
    folder, inner, files, run = stage.steps
    assert isinstance(folder, Folder) and isinstance(inner, Folder) and inner.path == "/app/src"
    assert isinstance(files, Files)
    assert (files.source, files.patterns, files.target, files.chown) == (CONTEXT, ("a",), "/app/src/", "me")
    assert isinstance(run, Run)
    assert (run.argv, run.workdir, run.user) == (("/bin/sh", "-c", "make $A"), "/app/src", "me")
    assert dict(run.env) == {"PATH": "/bin", "V": "1", "A": "1", "B": "x y"}
    assert stage.config["config"] == {
        "Env": ["PATH=/bin", "A=1", "B=x y"], "WorkingDir": "/app/src", "User": "me", "ArgsEscaped": True,
        "ExposedPorts": {"53/udp": {}, "80/tcp": {}}, "Cmd": ["run", "it"],
    }  # fmt: skip
    assert stage.config["history"] == [
        {**ENTRY, "created_by": "ARG V=1", "empty_layer": True},
        {**ENTRY, "created_by": "ENV A=1 B=x y", "empty_layer": True},
        {**ENTRY, "created_by": "WORKDIR /app"},
        {**ENTRY, "created_by": "WORKDIR /app/src"},
        {**ENTRY, "created_by": "COPY --chown=me a ./ # buildkit"},
        {**ENTRY, "created_by": "USER me", "empty_layer": True},
        {**ENTRY, "created_by": "RUN |1 V=1 /bin/sh -c make $A # buildkit"},
        {**ENTRY, "created_by": "EXPOSE map[53/udp:{} 80/tcp:{}]", "empty_layer": True},
        {**ENTRY, "created_by": 'CMD ["run" "it"]', "empty_layer": True},
    ]


def test_only_what_the_target_stands_on_is_planned() -> None:
    text = "FROM debian AS a\nRUN 1\nFROM other AS b\nRUN 2\nFROM scratch AS c\nCOPY --from=a /x /y\nFROM a AS d\nRUN 3"
    assert [s.name for s in planned(text, target="c").stages] == ["a", "c"]
    assert [s.name for s in planned(text).stages] == ["a", "d"]
    assert planned(text, target="c").target.needs() == {Source(stage=0)}
    assert plan(parse(text), Request(target="B"), {}, Folders({})) == Wanted(("other",))


def test_missing_images_are_asked_for_at_once_and_those_of_triggers_then() -> None:
    text = "FROM x AS a\nRUN --mount=from=y,target=/y z\nFROM scratch\nCOPY --from=a / /\nCOPY --from=w / /"
    assert plan(parse(text), Request(), {}, Folders({})) == Wanted(("w", "x", "y"))
    trigger = Base("sha256:2", {"config": {"OnBuild": ["COPY --from=late /a /b"]}})
    assert plan(parse("FROM x"), Request(), {"x": trigger}, Folders({})) == Wanted(("late",))


def test_triggers_of_the_base_come_first_and_are_gone() -> None:
    base = Base("sha256:2", {"config": {"OnBuild": ["RUN one", "ENV A=1"]}})
    found = planned("FROM x\nRUN two\nONBUILD RUN $later", bases={"x": base}).target
    assert [s.title for s in found.steps] == ["RUN one", "RUN two"]
    assert found.config["config"] == {"Env": ["A=1"], "OnBuild": ["RUN $later"]}
    broken = Base("sha256:2", {"config": {"OnBuild": ["RUNN one"]}})
    with pytest.raises(Refused, match="line 1: ONBUILD RUNN one of the base image: unknown instruction"):
        planned("FROM x", bases={"x": broken})


def test_arguments_and_where_they_are_known() -> None:
    text = "ARG A=1\nARG B=${A}2\nFROM debian AS s$X\nARG A=own\nARG B\nARG C\nRUN x\nFROM s$X\nRUN y"
    with pytest.raises(Refused, match="invalid name"):
        planned(text)
    text = text.replace("s$X", "s")
    assert history(text, args={"C": "3"})[-2:] == [
        "RUN |3 A=own B=12 C=3 /bin/sh -c x # buildkit", "RUN |3 A=own B=12 C=3 /bin/sh -c y # buildkit",
    ]  # fmt: skip
    assert history(text, args={"A": "z"})[-1] == "RUN |3 A=z B=z2 C= /bin/sh -c y # buildkit"
    assert planned("FROM debian\nARG TARGETARCH\nRUN x").target.steps[0].env[-1] == ("TARGETARCH", "amd64")  # type: ignore[union-attr]
    assert settings("FROM debian\nENV X=$TARGETARCH")["Env"] == ["PATH=/bin", "X="]
    assert planned("FROM debian", args={"NOBODY": "1"}).warnings == (
        "One or more build-args [NOBODY] were not consumed",
    )


def test_proxies_are_seen_and_not_told() -> None:
    plain, behind = (planned("FROM debian\nRUN x", args=a).target for a in ({}, {"http_proxy": "http://p"}))
    assert behind.steps[0].secretly == (("HTTP_PROXY", "http://p"), ("http_proxy", "http://p"))  # type: ignore[union-attr]
    assert (plain.key, plain.config) == (behind.key, behind.config)


def test_env_of_one_line_sees_what_was_before() -> None:
    assert settings("FROM scratch\nENV a=1\nENV a=2 b=$a c='$a' d=\\$a")["Env"][1:] == ["a=2", "b=1", "c=$a", "d=$a"]


def test_commands() -> None:
    assert "Cmd" not in settings('FROM debian\nENTRYPOINT ["x"]')
    assert settings('FROM debian\nCMD a\nENTRYPOINT ["x"]')["Cmd"] == ["/bin/sh", "-c", "a"]
    text = 'FROM debian\nSHELL ["/bin/bash", "-ec"]\nRUN a  b\nENTRYPOINT c'
    assert planned(text).target.steps[0].argv == ("/bin/bash", "-ec", "a  b")  # type: ignore[union-attr]
    assert settings(text)["Entrypoint"] == ["/bin/bash", "-ec", "c"]
    assert history("FROM debian\nHEALTHCHECK --timeout=3s CMD x")[-1] == (
        "HEALTHCHECK {Test:[CMD-SHELL x] Interval:0s Timeout:3s StartPeriod:0s StartInterval:0s Retries:0}"
    )


def test_heredocs() -> None:
    text = "FROM debian\nARG A=1\nRUN <<EOF\necho $A\nEOF\nRUN <<EOF\n#!/bin/x\nEOF\nRUN cat <<EOF >/x\na\nEOF\n"
    one, two, three = planned(text).target.steps
    assert isinstance(one, Run) and one.argv[-1] == "echo $A\n"
    assert isinstance(two, Run) and two.argv[-1] == "/dev/pipes/EOF" and two.scripts == (("EOF", "#!/bin/x\n"),)
    assert isinstance(three, Run) and three.argv[-1] == "cat <<EOF >/x\na\nEOF"
    (files,) = planned("FROM debian\nENV A=1\nCOPY <<x <<'y' /d/\n$A \"q\"\nx\n$A\ny\n").target.steps
    assert isinstance(files, Files) and files.inline == (("x", '1 "q"\n'), ("y", "$A\n"))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("RUN x\nFROM debian", 1, "before the first FROM"),
        ("FROM $X", 1, "should not be blank"),
        ("FROM --platform=linux/arm64 debian", 1, "only linux/amd64 can be built"),
        ("FROM debian\nCOPY nothing /", 2, '"nothing": not found'),
        ("FROM debian\nCOPY a b /d", 2, "must be a directory and end with a /"),
        ("FROM debian\nADD git@x:y /", 2, "nothing is fetched over ssh"),
        ("FROM debian\nCOPY --chmod=u+x a /", 2, "symbolic modes are not supported"),
        ("FROM debian\nCOPY --from=$X a /", 2, "doesn't support variables"),
        ("FROM debian\nCOPY --from=2 a /", 2, "there are 1 stages"),
        ("FROM debian AS x\nCOPY --from=x a /", 2, "defined before current stage"),
        ("FROM debian\nEXPOSE 70000", 2, "up to 65535"),
        ("FROM debian\nEXPOSE http", 2, "expected a port"),
        ("FROM debian\nSTOPSIGNAL SIGHELLO", 2, "Invalid signal"),
        ("FROM debian\nENV a=${b?}", 2, "b: is not allowed to be unset"),
        ("FROM debian\nRUN --mount=type=ssh x", 2, "type=ssh is not supported"),
    ],
)  # fmt: skip
def test_refusals(text: str, line: int, message: str) -> None:
    with pytest.raises(Refused, match=message) as found:
        planned(text)
    assert found.value.line == line


def test_an_unknown_target_gets_a_hint() -> None:
    with pytest.raises(Refused, match="did you mean runtime"):
        planned("FROM debian AS runtime", target="runtme")


DOCKERFILE = (
    "FROM debian AS one\nCOPY a /a\nRUN x\nFROM debian\nARG V\nCOPY --from=one /o /o\nCOPY b /b\n"
    "RUN --mount=type=bind,target=/src,source=a --mount=type=secret,id=s y\n"
)


def keys(files: Mapping[str, str], args: Mapping[str, str]) -> list[str]:
    return [step.key for stage in planned(DOCKERFILE, files=files, args=args).stages for step in stage.steps]


@given(st.fixed_dictionaries({"a": st.text("12", max_size=1), "b": st.text("12", max_size=1)}), st.sampled_from("12"))
def test_a_key_changes_with_what_decides_and_all_keys_after_it(files: Mapping[str, str], value: str) -> None:
    """`a` is copied first and bound last, `b` only in the second stage; V is seen by the last RUN alone."""
    base, other = keys({"a": "1", "b": "1"}, {"V": "1"}), keys(files, {"V": value})
    same = [x == y for x, y in zip(base, other)]
    a, b = files["a"] == "1", files["b"] == "1"
    assert same == [a, a, a, a and b, a and b and value == "1"]
    assert len(set(other)) == len(other)
