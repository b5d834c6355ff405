"""What the last stage of a Dockerfile says."""

import pytest

from madang.app.programs.stage import last_stage
from madang.dockerfile.parsing import parse
from madang.dockerfile.refusal import Refused

ORDINARY = """\
# syntax=docker/dockerfile:1
ARG PYTHON=3.12
FROM python:${PYTHON}-slim AS base
WORKDIR /app
ENV PYTHONUNBUFFERED=1 \\
    # a comment in between
    GREETING="hello world"
COPY requirements.txt .
RUN pip install -r requirements.txt && \\
    apt-get install -y libpq5
COPY . .
EXPOSE 8000 53/udp
USER 1000:1000
HEALTHCHECK --interval=5s --timeout=3s CMD curl -f http://localhost:8000/healthz
STOPSIGNAL SIGINT
CMD ["python", "-m", "web"]

FROM base AS worker
ENV QUEUE ${GREETING} again
CMD celery worker -c 2
"""


def test_the_last_stage_inherits() -> None:
    stage = last_stage(parse(ORDINARY))
    assert stage.base == "python:3.12-slim" and stage.workdir == "/app"
    assert stage.env == {"PYTHONUNBUFFERED": "1", "GREETING": "hello world", "QUEUE": "hello world again"}
    assert stage.command == ("/bin/sh", "-c", "celery worker -c 2")
    assert stage.ports == [(8000, "TCP"), (53, "UDP")] and stage.user == "1000:1000"
    assert stage.copies == [("requirements.txt", "/app/"), (".", "/app/")]
    assert stage.stop_signal == "SIGINT" and stage.healthcheck is not None and stage.healthcheck.line == 14


def test_a_target_and_an_argument() -> None:
    stage = last_stage(parse(ORDINARY), "base", {"PYTHON": "3.13"})
    assert stage.base == "python:3.13-slim" and stage.command == ("python", "-m", "web")


def test_what_only_an_image_can_do_is_named() -> None:
    (undone,) = last_stage(parse(ORDINARY)).undone
    assert undone.startswith("line 9: RUN pip install") and "only inside an image" in undone


@pytest.mark.parametrize(
    ("copies", "told"),
    [
        ("COPY package*.json ./\nRUN npm ci\nCOPY . .", 0),  # the whole folder brings them: one for an image's layers
        ("COPY package*.json ./\nCOPY src src", 1),
        ("COPY package*.json /else/\nCOPY . .", 1),
        ("COPY conf/*.json ./\nCOPY . .", 1),  # stands one folder higher than in the source
    ],
)
def test_a_pattern_is_told_unless_the_whole_folder_follows(copies: str, told: int) -> None:
    assert len(last_stage(parse(f"FROM node\nWORKDIR /app\n{copies}\nCMD x\n")).undone) == told


def test_what_an_image_takes_and_nothing_here_does_is_named() -> None:
    text = (
        "FROM a\nCOPY --exclude=x . .\nCOPY <<EOF /etc/app.conf\nCMD nonsense\nEOF\nRUN --security=insecure x\nCMD y\n"
    )
    told = last_stage(parse(text)).undone
    assert [line.partition(":")[0] for line in told] == ["line 2", "line 3", "line 6"]


def test_an_entrypoint_forgets_the_command_of_its_base_alone() -> None:
    stage = last_stage(parse('FROM a AS b\nCMD ["x"]\nFROM b\nENTRYPOINT ["run"]\n'))
    assert (stage.entrypoint, stage.command) == (("run",), ())
    stage = last_stage(parse('FROM a\nCMD ["x"]\nENTRYPOINT ["run"]\n'))
    assert (stage.entrypoint, stage.command) == (("run",), ("x",))


def test_ranges_and_variables_of_ports() -> None:
    assert last_stage(parse("FROM a\nENV P=80\nEXPOSE $P 9000-9001/udp\n")).ports == [
        (80, "TCP"), (9000, "UDP"), (9001, "UDP"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("RUN x", 1, "before the first FROM"),
        ("FROM a\n\nNONSENSE y", 3, "unknown instruction: NONSENSE"),
        ("FROM a\nEXPOSE http", 2, "expected a port like"),
        ("FROM a\nRUN <<E\nx", 2, "has no end"),
        ("", 0, "has no instructions"),
        ("ARG x=1", 1, "there is no FROM"),
    ],
)
def test_faults_have_a_line(text: str, line: int, message: str) -> None:
    with pytest.raises(Refused, match=message) as fault:
        last_stage(parse(text))
    assert fault.value.line == line


def test_an_unknown_target_names_the_stages() -> None:
    with pytest.raises(Refused, match="stages: base, worker"):
        last_stage(parse(ORDINARY), "none")


def test_what_an_earlier_stage_installed_is_made_here() -> None:
    text = (
        "FROM a AS deps\nFROM a\nCOPY --from=deps /app/node_modules ./node_modules\nCOPY --from=deps /app/dist dist\n"
    )
    (undone,) = last_stage(parse(text)).undone
    assert undone.startswith("line 4: COPY --from")
