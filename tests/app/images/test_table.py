"""Images that a program of this machine stands for."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from madang.app import ApplicationError
from madang.app.images import surroundings, table
from madang.app.images.found import NoProgram, find, prepare
from madang.app.images.table import split
from tests.app.compose.project_files import application, container, pod
from tests.app.compose.project_files import find as find_object


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a Redis 7, an nginx 1 and nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    server = folder / "redis-server"
    server.write_text("#!/bin/sh\necho 'Redis server v=7.2.4 sha=0:0 malloc=libc'\n")
    nginx = folder / "nginx"
    nginx.write_text("#!/bin/sh\necho 'nginx version: nginx/1.22.1' >&2\n")
    for program in (server, nginx):
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(table, "TABLE", tuple(row for row in table.TABLE if row.image != "postgres"))
    return tmp_path


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("redis", ("redis", "")),
        ("docker.io/library/redis:7-alpine@sha256:00", ("redis", "7-alpine")),
        ("localhost:5000/redis", ("localhost:5000/redis", "")),
        ("bitnami/redis:7", ("bitnami/redis", "7")),
        ("public.ecr.aws/docker/library/nginx:1.27-alpine", ("nginx", "1.27-alpine")),
    ],
)
def test_names(image: str, parts: tuple[str, str]) -> None:
    assert split(image) == parts


def test_the_major_version_must_be_the_one_asked_for(machine: Path) -> None:
    assert find("redis:7-alpine", False, machine).program.reference == "madang.dev/image/redis:7.2.4"
    assert find("redis", False, machine).warning == ""
    with pytest.raises(NoProgram, match=r"asks for version 6; this machine has redis-server 7\.2\.4: install"):
        find("redis:6", False, machine)
    assert (
        find("redis:6", True, machine).warning == "asks for version 6; redis-server 7.2.4 of this machine runs instead"
    )


def test_a_dockerfile_that_only_adds_files_to_a_known_image(machine: Path) -> None:
    (machine / "cache").mkdir()
    (machine / "cache" / "Dockerfile").write_text("FROM redis:7\nCOPY redis.conf /etc/redis.conf\nENV A=1\n")
    (machine / "cache" / "redis.conf").write_text("")
    made = application(machine, "services: {cache: {build: cache, command: redis-server /etc/redis.conf}}")
    program = made.found[0].program
    assert not made.builds and program.reference == container(made, "cache")["image"]
    assert (str(machine / "cache" / "redis.conf"), "/etc/redis.conf") in program.mounts and program.env["A"] == "1"
    assert program.entrypoint[0] == "/bin/sh"


@pytest.mark.parametrize(
    ("more", "served"),
    [
        ("", True),
        ('CMD ["nginx", "-g", "daemon off;"]', True),
        ("CMD envsubst < /a > /etc/nginx/conf.d/default.conf && nginx", True),
        ('CMD ["node", "server.js"]', False),
        ('ENTRYPOINT ["/start.sh"]', False),
    ],
)
def test_a_dockerfile_upon_a_known_image(machine: Path, more: str, served: bool) -> None:
    steps = [
        "FROM nginx:alpine",
        "RUN rm -f /etc/nginx/conf.d/default.conf && true",
        "COPY site.conf /etc/nginx/conf.d/",
    ]
    (machine / "Dockerfile").write_text("\n".join([*steps, more, ""]))
    (machine / "site.conf").write_text("server {}")
    made = application(machine, "services: {web: {build: .}}")
    assert bool(made.found) is served, "else the machine's own nginx would run on the machine's configuration"
    if served:
        env = made.found[0].program.env
        assert env["MADANG_FILES"] == "etc/nginx/conf.d/site.conf=/etc/nginx/conf.d/site.conf"
        assert env["MADANG_REMOVED"] == "etc/nginx/conf.d/default.conf"


def test_refusals_name_the_ways_out(machine: Path) -> None:
    with pytest.raises(
        NoProgram, match=r"no program of this machine is known for it \(known: redis, rabbitmq, nginx\)."
    ):
        find("mongo:7", False, machine)


def test_a_volume_at_the_image_s_place_is_the_data_folder(machine: Path) -> None:
    made = application(
        machine,
        """
        services:
          cache:
            image: redis:7
            command: redis-server --appendonly yes
            volumes: ["kept:/data", "./x:/x"]
            healthcheck: {test: ["CMD", "redis-cli", "ping"]}
        volumes: {kept: }
        """,
    )
    found = made.found[0]
    assert found.data == machine / "home" / "volumes" / "p" / "kept"
    assert found.program.env["MADANG_DATA"] == str(found.data)
    main = container(made, "cache")
    assert main["image"] == "madang.dev/image/p/cache/redis:7.2.4" == found.program.reference
    assert main["args"] == ["redis-server", "--appendonly", "yes"]
    assert [m["mountPath"] for m in main["volumeMounts"]] == ["/x"] and len(pod(made, "cache")["volumes"]) == 1
    assert main["readinessProbe"]["tcpSocket"] == {"port": 6379}
    deployment = find_object(made, "Deployment", "cache")
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}, "two servers would fight over one folder"
    reached = find_object(made, "Service", "cache")["spec"]["ports"][0]
    assert (reached["port"], reached["appProtocol"]) == (6379, "redis")


def test_a_server_that_is_not_here(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "TABLE", tuple(replace(row, folders=()) for row in table.TABLE))
    with pytest.raises(NoProgram, match=r"needs rabbitmq-server, .*apt-get install rabbitmq-server\), or give"):
        find("rabbitmq:3-management-alpine", False, machine)


@pytest.mark.parametrize("many", ["deploy: {replicas: 2}", "scale: 2", "x-madang: {scale: {max: 3}}"])
def test_one_data_folder_has_one_instance(machine: Path, many: str) -> None:
    with pytest.raises(ApplicationError, match=r"expected 1: redis keeps its data in one folder"):
        application(machine, f"services: {{cache: {{image: redis:7, {many}}}}}")
    assert container(application(machine, f"services: {{web: {{image: nginx, {many}}}}}"), "web")


def test_the_data_belong_to_whom_the_service_runs_as(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    made = application(machine, 'services: {cache: {image: redis:7, user: "999:998"}}')
    assert made.found[0].owner == (999, 998)


NGINX = """
services:
  web:
    image: nginx:1
    volumes: ["./default.conf:/etc/nginx/conf.d/default.conf:ro", "./html:/usr/share/nginx/html"]
    ports: ["8080:80", "8088:8088"]
    healthcheck: {test: curl -f http://localhost/}
"""


def test_nginx_has_a_configuration_of_its_own(machine: Path) -> None:
    made = application(machine, NGINX)
    found = made.found[0]
    own = machine / "home" / "images" / "servers" / "p" / "web"
    assert (str(own / "etc"), "/etc/nginx") in found.program.mounts, "never the machine's"
    assert found.program.env["MADANG_FILES"].splitlines() == [
        "etc/nginx/conf.d/default.conf=/etc/nginx/conf.d/default.conf",
        "usr/share/nginx/html=/usr/share/nginx/html",
    ]
    assert "/var/cache/nginx" in [m["mountPath"] for m in container(made, "web")["volumeMounts"]]
    prepare(found)
    assert "conf.d/*.conf" in (own / "etc" / "nginx.conf").read_text() and (own / "bin" / "nginx").stat().st_mode & 1


def test_a_port_that_may_not_be_opened_is_a_higher_one_inside(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "lowest_port", lambda: 1024)
    made = application(machine, NGINX)
    main = container(made, "web")
    assert [p["containerPort"] for p in main["ports"]] == [8080, 8088]
    assert main["readinessProbe"]["httpGet"]["port"] == 8080
    inside = [(p["port"], p["targetPort"]) for p in find_object(made, "Service", "web")["spec"]["ports"]]
    outside = [(p["port"], p["targetPort"]) for p in find_object(made, "Service", "web-published")["spec"]["ports"]]
    assert inside == [(80, 8080), (8088, 8088)] and outside == [(8080, 8080), (8088, 8088)]
