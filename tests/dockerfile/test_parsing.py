import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.dockerfile.instructions import meaning
from madang.dockerfile.parsing import parse
from madang.dockerfile.refusal import Refused

TEXT = """\
# syntax=docker/dockerfile:1
# escape=`
ARG A=1
FROM --platform=$BUILDPLATFORM x as y
# a comment
RUN --mount=type=cache,target="/a b" --network=none `
  # inside

   foo && `
   bar
COPY --from=z ["a b","c"]
RUN <<EOF cat
\ta
# no comment
EOF
copy <<-"ONE" <<TWO /x/
\tno $A
\tONE
two
TWO
"""


def test_everything_at_once() -> None:
    file = parse(TEXT)
    assert (file.escape, file.syntax) == ("`", "docker/dockerfile:1")
    assert [(i.name, i.line) for i in file.instructions] == [
        ("ARG", 3), ("FROM", 4), ("RUN", 6), ("COPY", 11), ("RUN", 12), ("COPY", 16),
    ]  # fmt: skip
    run = file.instructions[2]
    assert run.flags == ("--mount=type=cache,target=/a b", "--network=none")
    assert run.rest == "foo &&    bar"
    assert file.instructions[4].heredocs[0].content == "\ta\n# no comment\n"
    one, two = file.instructions[5].heredocs
    assert (one.name, one.text(), one.expand) == ("ONE", "no $A\n", False)
    assert (two.name, two.text(), two.expand) == ("TWO", "two\n", True)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("FROM x\nRUN <<EOF\na\n", 2, "the heredoc EOF has no end"),
        ("# escape=x\nFROM y", 1, "invalid escape token 'x'"),
        ("# escape=`\n# escape=`\nFROM y", 2, "only one escape parser directive"),
        ("# only a comment\n", 0, "no instructions"),
    ],
)
def test_refusals_name_the_line(text: str, line: int, message: str) -> None:
    with pytest.raises(Refused, match=message) as found:
        parse(text)
    assert found.value.line == line


def test_a_directive_after_a_comment_is_a_comment() -> None:
    assert parse("# hello\n# escape=`\nFROM a\\\nb").instructions[0].rest == "ab"


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    file = parse("\ufeffFROM x\r\nRUN a \\\r\n  b\r\n")
    assert [i.rest for i in file.instructions] == ["x", "a   b"]


PIECES = [
    "a", "$X", "'q r'", '"d $X"', "\\", "\\\n", "\\\\", "`", "--from=b", '--chown="1 2"', "<<EOF", "<<-E2",
    "3<<'EOF'", '["a"]', "[", "#", "=", "k=v", " ", "\t", "\n", "EOF\n", "\tE2\n", "x:y", "é",
]  # fmt: skip
NAMES = ["RUN", "COPY", "ENV", "CMD", "LABEL", "ARG", "EXPOSE", "ONBUILD RUN", "# c", "WORKDIR", "HEALTHCHECK CMD"]
LINES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.lists(st.sampled_from(PIECES), max_size=8)).map(
        lambda drawn: f"{drawn[0]} {''.join(drawn[1])}"
    ),
    max_size=4,
)


@settings(max_examples=200, deadline=None)
@given(LINES)
def test_it_reads_as_the_official_parser_does(lines: list[str]) -> None:
    """Whatever we take, Docker's own parser takes, too, and reads the same: names, lines, flags, heredocs."""
    official = pytest.importorskip("dockerfile", reason="the wheel `dockerfile` is not installed")
    text = "FROM x\n" + "\n".join(lines) + "\n"
    try:
        file = parse(text)
        for one in file.instructions:
            meaning(one, file.escape)
    except Refused:
        return
    wanted = [c for c in official.parse_string(text) if c.cmd]
    assert [(i.name, i.line, i.flags, tuple(h.content for h in i.heredocs)) for i in file.instructions] == [
        (c.cmd, c.start_line, c.flags, tuple(h.content for h in c.heredocs)) for c in wanted
    ]
