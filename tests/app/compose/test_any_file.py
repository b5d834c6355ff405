"""Whatever a file says, it is read or refused in words: one spoiled value never breaks the reader."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from madang import app
from madang.app.programs import source

WHOLE = yaml.safe_load("""
services:
  a:
    image: madang.dev/host
    command: [x, y]
    entrypoint: z
    environment: {A: 1, B: }
    env_file: [{path: e.env, required: false}]
    ports: ["80:8000", {target: 1, published: "2", protocol: tcp}]
    expose: ["1-3"]
    depends_on: {b: {condition: service_healthy, required: false}}
    healthcheck: {test: [CMD, curl, -f, "http://localhost:1/"], interval: 1s, timeout: 1s, retries: 2, start_period: 3s}
    volumes: ["v:/v", {type: bind, source: ./x, target: /x, bind: {create_host_path: true}}, {type: tmpfs, target: /t}]
    tmpfs: ["/run:size=1m"]
    configs: [{source: c, target: /c, mode: 0440}]
    secrets: [s]
    networks: {n: {aliases: [x]}}
    extra_hosts: {h: 1.2.3.4}
    labels: [a=b]
    user: "1:1"
    stop_signal: SIGINT
    stop_grace_period: 3s
    links: [b]
    hostname: h
    tty: true
    restart: always
    pre_stop: [{command: [x]}]
    cpus: 0.5
    mem_limit: 5m
    deploy:
      mode: replicated
      replicas: 2
      labels: {a: b}
      resources: {limits: {cpus: "1", memory: 1g, pids: 4}, reservations: {cpus: "0.1", memory: 1m}}
      update_config: {parallelism: 1, order: start-first, monitor: 1s, delay: 1s}
      restart_policy: {condition: any, max_attempts: 3}
      placement: {constraints: [node.labels.a == b]}
    x-madang: {route: [{host: h, path: /, port: 1}], scale: {min: 1, max: 2, cpu: 50%}}
  b: {build: {context: ., dockerfile_inline: "FROM x\\nCMD y", args: [A=1]}, restart: "no", extends: {service: c}}
  c: {image: madang.dev/host, command: x}
volumes: {v: {driver: local, driver_opts: {type: none, o: bind, device: /x}}}
networks: {n: {internal: true}}
configs: {c: {content: hello}}
secrets: {s: {environment: HOME}}
""")


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for key, one in keys for p in places(one, (*path, key)))]


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**6), st.floats(allow_nan=False), st.text(max_size=12),
    st.sampled_from(["$X", "${", "-1", "0", "a:b:c:d", "/", "1-0", "9" * 30, "5s", "b"]),
    st.sampled_from([[], {}, ["x", None], [{}], [[]]]),
    st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2),
)  # fmt: skip


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """`build: /` is a folder like any other, but to read so much of the machine each time takes long."""
    monkeypatch.setattr(source, "MOST_FILES", 50)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(path=st.sampled_from(places(WHOLE)[1:]), odd=ODD)
@example(path=("services", "b", "build", "context"), odd="/")
def test_one_spoiled_value(tmp_path: Path, few: None, path: tuple[Any, ...], odd: Any) -> None:
    spoiled = copy.deepcopy(WHOLE)
    inside = spoiled
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = odd
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(spoiled))
    try:
        made = app.load([tmp_path], app.LoadOptions(home=tmp_path / "home"))
    except app.ApplicationError as error:
        said = error.messages
    else:
        said = [f"{tmp_path}: {len(made.objects)} objects"]
    assert said and all(str(tmp_path) in message for message in said), said


def test_the_whole_is_fine(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(WHOLE))
    assert app.load([tmp_path], app.LoadOptions(home=tmp_path / "home")).services == ["a", "b", "c"]
