"""Healthchecks as probes: the table of forms that are known, and the times."""

from pathlib import Path
from typing import Any

import pytest

from madang.app.compose.probes import handler_of
from madang.app.document import Mark
from madang.app.field import Field
from tests.app.compose.project_files import application, container


def handler(test: Any) -> Any:
    return handler_of(Field(test, "test", Mark("c.yaml", 1), []), {"web"})


def http(port: int, path: str = "/", scheme: str = "HTTP") -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": port, "scheme": scheme}}


@pytest.mark.parametrize(
    ("test", "made"),
    [
        ("curl -f http://localhost:8000/health || exit 1", http(8000, "/health")),
        (["CMD", "curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:80/a?b=c"], http(80, "/a?b=c")),
        (["CMD", "curl", "--fail", "localhost:9000"], http(9000)),
        (["CMD-SHELL", "curl -k -f https://localhost/x"], http(443, "/x", "HTTPS")),
        ("curl http://web:8000/health", {"tcpSocket": {"port": 8000}}),
        ("wget -qO- http://localhost:3000/ready", http(3000, "/ready")),
        ("wget --no-verbose --tries=1 --spider http://localhost:8080/ || exit 1", http(8080)),
        ("wget -q -O /dev/null http://localhost:8080/x", http(8080, "/x")),
        (
            ["CMD", "python", "-c", "import urllib.request as u; u.urlopen('http://localhost:8000/r', timeout=2)"],
            http(8000, "/r"),
        ),
        (["CMD", "python3", "-c", 'from urllib.request import urlopen; urlopen("http://localhost:1/")'], http(1)),
        ("nc -z localhost 5432", {"tcpSocket": {"port": 5432}}),
        (["CMD", "bash", "-c", "</dev/tcp/localhost/6379"], {"tcpSocket": {"port": 6379}}),
        (["CMD", "sh", "-c", "curl -f http://localhost:1/x"], http(1, "/x")),
        (["NONE"], None),
    ],
)
def test_known_forms(test: Any, made: Any) -> None:
    assert handler(test) == made


@pytest.mark.parametrize(
    "test",
    [
        "curl -f http://elsewhere:8000/",
        "curl -f http://localhost:8000/ | grep ok",
        "curl -f -X POST http://localhost:8000/",
        "curl -f https://localhost/",
        "wget --post-data=x http://localhost:1/",
        "python -c \"assert b'ok' in __import__('urllib.request').urlopen('http://localhost:1/').read()\"",
        "nc localhost 5432",
        "./check.sh",
    ],
)
def test_anything_else_runs_as_it_is(test: str) -> None:
    assert handler(test) == {"exec": {"command": ["/bin/sh", "-c", test]}}


def test_times(tmp_path: Path) -> None:
    text = """
    services:
      a:
        image: madang.dev/host
        command: x
        healthcheck:
          {test: ["CMD", "ok"], interval: 5s, timeout: 1500ms, retries: 4, start_period: 90s, start_interval: 2s}
      b: {image: madang.dev/host, command: x, healthcheck: {test: "ok"}}
      c: {image: madang.dev/host, command: x, healthcheck: {disable: true}}
      d: {image: madang.dev/host, command: x, restart: "no", healthcheck: {test: "ok"}}
    """
    made = application(tmp_path, text)
    ready = {"exec": {"command": ["ok"]}, "periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 4}
    a = container(made, "a")
    assert a["readinessProbe"] == a["livenessProbe"] == ready
    assert a["startupProbe"] == {**ready, "periodSeconds": 2, "failureThreshold": 60}
    b = container(made, "b")
    assert (b["readinessProbe"]["periodSeconds"], b["readinessProbe"]["timeoutSeconds"]) == (30, 30)
    assert b["startupProbe"]["failureThreshold"] == 24, "nobody is restarted while it starts"
    assert "readinessProbe" not in container(made, "c")
    assert "livenessProbe" not in container(made, "d", "Job")


def test_a_dockerfile_s_healthcheck_counts(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    check = "HEALTHCHECK --interval=7s CMD curl -f http://localhost:5000/h || exit 1"
    (tmp_path / "a" / "Dockerfile").write_text(f'FROM python:3.11\n{check}\nCMD ["x"]\n')
    made = application(tmp_path, "services: {a: {build: a}, b: {build: a, healthcheck: {interval: 9s}}}")
    assert container(made, "a")["readinessProbe"] == {
        **http(5000, "/h"), "periodSeconds": 7, "timeoutSeconds": 30, "failureThreshold": 3
    }  # fmt: skip
    assert container(made, "b")["readinessProbe"]["periodSeconds"] == 9
