"""Messages about files that the specification's schema refuses."""

from pathlib import Path

import pytest

from madang.app import ApplicationError
from tests.app.compose.project_files import application, project


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: {a: {comand: x}}", '1: services.a: unknown key "comand"; did you mean "command"?'),
        ("servces: {}", '1: unknown key "servces"; did you mean "services" or "secrets"?'),
        (
            "services: {a: {command: {b: c}}}",
            "1: services.a.command: expected nothing or text or a list, found a mapping",
        ),
        ("services:\n  a:\n    image: 5", "3: services.a.image: expected text, found 5"),
        ("services: {a: {environment: 5}}", "1: services.a.environment: expected a mapping or a list, found 5"),
        ("services: []", "1: services: expected a mapping, found a list"),
        (
            "services:\n  a:\n    depends_on:\n      b: {condition: healthy}",
            "4: services.a.depends_on.b.condition: expected one of service_started, service_healthy, "
            'service_completed_successfully, found "healthy"',
        ),
        ("services: {a: {depends_on: {b: {}}}}", "1: services.a.depends_on.b: lacks condition"),
        ("services: {a: {expose: [1, 1]}}", "1: services.a.expose: the same entry stands here twice"),
        ("services: {a: {volumes: [{target: /x}]}}", "1: services.a.volumes[0]: lacks type"),
        (
            "services: {a: {deploy: {resources: {limits: {cpu: 1}}}}}",
            '1: services.a.deploy.resources.limits: unknown key "cpu"; did you mean "cpus"?',
        ),
    ],
)
def test_messages(tmp_path: Path, text: str, said: str) -> None:
    assert project(tmp_path, compose_yaml=text).faults == [f"{tmp_path / 'compose.yaml'}:{said}"]


def test_every_fault_in_the_order_of_the_file(tmp_path: Path) -> None:
    made = project(tmp_path, compose_yaml="services:\n  a: {imag: x}\n  b: {image: 3}\n  c: {prots: []}\n")
    assert [int(f.split(":")[1]) for f in made.faults] == [2, 3, 4]


def told(folder: Path, text: str) -> list[str]:
    with pytest.raises(ApplicationError) as refused:
        application(folder, text)
    return [message.split("compose.yaml:")[1] for message in refused.value.messages]


def test_a_wrong_shape_hides_no_wrong_value(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    text = """services:
          a:
            build: ./a
            command: [run, {not: text}]
            restrat: always
            deploy: {replicas: two}
            ports: ["80800:80", {published: 1}, "8000"]
            mem_limit: lots
            depends_on: [b]
    """
    assert told(tmp_path, text) == [
        "4: services.a.command[1]: expected text, found a mapping",
        '5: services.a: unknown key "restrat"; did you mean "restart" or "pre_start"?',
        '6: services.a.deploy.replicas: expected a whole number, found "two"',
        '7: services.a.ports[0]: expected port numbers from 1 to 65535, found "80800:80"',
        "7: services.a.ports[1]: lacks target, the port inside",
        '8: services.a.mem_limit: expected a size such as 256M or 1G, found "lots"',
        '9: services.a.depends_on.b: there is no service "b"; there are a',
    ]


def test_what_is_only_missing_because_it_was_wrong_is_not_told(tmp_path: Path) -> None:
    assert told(tmp_path, "services: {a: {image: 5, mem_limit: x}}") == [
        "1: services.a.image: expected text, found 5",
        '1: services.a.mem_limit: expected a size such as 256M or 1G, found "x"',
    ]
    whole = "services:\n  a: 5\n  b: {image: redis, depends_on: [a], mem_limit: x}"
    assert told(tmp_path, whole) == ["2: services.a: expected a mapping, found 5"]
    unset = "services: {a: {image: '${NO:?say which}', mem_limit: x}}"
    assert told(tmp_path, unset) == ["1: services.a.image: the variable NO must be set: say which"]
