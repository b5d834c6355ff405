"""Images that a program of this machine stands for."""

import stat
from pathlib import Path

import pytest

from madang.app.images import table
from madang.app.images.found import NoProgram, find
from madang.app.images.table import split
from tests.app.compose.project_files import application, container, pod
from tests.app.compose.project_files import find as find_object


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a Redis 7 and nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    server = folder / "redis-server"
    server.write_text("#!/bin/sh\necho 'Redis server v=7.2.4 sha=0:0 malloc=libc'\n")
    server.chmod(server.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(table, "TABLE", tuple(row for row in table.TABLE if row.image in ("redis", "nginx")))
    return tmp_path


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("redis", ("redis", "")),
        ("docker.io/library/redis:7-alpine@sha256:00", ("redis", "7-alpine")),
        ("localhost:5000/redis", ("localhost:5000/redis", "")),
        ("bitnami/redis:7", ("bitnami/redis", "7")),
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


def test_refusals_name_the_ways_out(machine: Path) -> None:
    with pytest.raises(
        NoProgram, match=r"no program of this machine is known for it \(known: redis, nginx\). Give the"
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
    assert find_object(made, "Service", "cache")["spec"]["ports"][0]["port"] == 6379
