"""Messages about files that the specification's schema refuses."""

from pathlib import Path

import pytest

from tests.app.compose.project_files import project


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
