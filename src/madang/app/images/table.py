"""Which image a program of this machine can stand for: the visible table.

In: an image's name. Out: its row, if there is one; `found.py` looks for the server itself.
"""

from dataclasses import dataclass

from madang.app.images import scripts

REGISTRIES = (
    "docker.io/", "index.docker.io/", "registry-1.docker.io/", "public.ecr.aws/docker/", "mirror.gcr.io/", "library/",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Server:
    """One row. `folders` are searched after PATH; `user` runs it where root may not; `data` is where the image keeps
    its data: what Compose mounts there becomes the data folder. `scratch` is an instance's own folder that ends with
    it. `plugins` are switched on for a tag that holds their name."""

    image: str
    program: str
    ask: tuple[str, ...]  # makes it tell its version
    ports: tuple[int, ...]
    script: str
    data: tuple[str, ...]
    install: str  # what a person types on Debian to have it
    folders: tuple[str, ...] = ()
    user: str = ""
    checks: tuple[str, ...] = ()  # programs whose question is whether the server answers
    scratch: str = ""
    stop_signal: str = ""
    protocol: str = ""  # what is spoken on the first port, if not HTTP
    plugins: tuple[tuple[str, str, int], ...] = ()  # (in the tag, the plugin, its port)


TABLE: tuple[Server, ...] = (
    Server(
        "redis", "redis-server", ("--version",), (6379,), scripts.REDIS, ("/data",), "redis-server",
        checks=("redis-cli",), protocol="redis",
    ),
    Server(
        "postgres", "postgres", ("--version",), (5432,), scripts.POSTGRES,
        ("/var/lib/postgresql/data", "/var/lib/postgresql"), "postgresql",
        ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"), "postgres", checks=("pg_isready",), stop_signal="SIGINT",
        protocol="postgresql",
    ),
    # Debian's own start on PATH lets only root and the user rabbitmq in.
    Server(
        "rabbitmq", "rabbitmq-server", (), (5672,), scripts.RABBITMQ, ("/var/lib/rabbitmq",),
        "rabbitmq-server", ("/usr/lib/rabbitmq/bin", "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin"), "rabbitmq",
        checks=("rabbitmq-diagnostics", "rabbitmqctl"), protocol="amqp",
        plugins=(("management", "rabbitmq_management", 15672),),
    ),
    Server(
        "nginx", "nginx", ("-v",), (80,), "", (), "nginx", ("/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin"),
        scratch="/var/cache/nginx", stop_signal="SIGQUIT",
    ),
)  # fmt: skip


def split(image: str) -> tuple[str, str]:
    """(short name, tag): `docker.io/library/redis:7-alpine@sha256:...` -> (`redis`, `7-alpine`)."""
    bare = image.partition("@")[0]
    name, colon, tag = bare.rpartition(":")
    if not colon or "/" in tag:
        name, tag = bare, ""
    for prefix in REGISTRIES:
        name = name.removeprefix(prefix)
    return name, tag


def server_of(image: str) -> Server | None:
    name, _ = split(image)
    return next((row for row in TABLE if row.image == name), None)
