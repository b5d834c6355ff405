"""Images that servers of this machine stand for, in Compose files as people write them, with the real servers.

As whoever runs the tests, and as root also as an ordinary user on the loopback network. A server that this machine
lacks skips its test by name.
"""

import os
import shutil
import socket
import tempfile
import textwrap
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from madang.app.images.found import installed
from madang.app.images.table import TABLE
from tests.e2e.apps import get, write_app
from tests.e2e.conftest import Court, courtyard
from tests.e2e.test_unprivileged import dress, own
from tests.e2e.traces import id_of, traces
from tests.free_ports import free_port

pytestmark = pytest.mark.e2e

DEFAULT_CONF = """
upstream backend { server api:8000; }
server {
    listen 80 default_server;
    listen [::]:80 default_server;
    location / { root /usr/share/nginx/html; index index.html; }
    location /api/ { proxy_pass http://backend/; proxy_set_header Host $host; }
}
"""
NGINX_CONF = """
user nginx;
pid /var/run/nginx.pid;
error_log /var/log/nginx/error.log warn;
events { worker_connections 1024; }
http {
    include /etc/nginx/mime.types;
    log_format main '$remote_addr "$request" $status';
    access_log /var/log/nginx/access.log main;
    resolver 127.0.0.11;
    server { listen 80; location / { set $up http://api:8000; proxy_pass $up; } }
}
"""
TEMPLATE = "server { listen ${NGINX_PORT}; location / { return 200 '$uri of ${NGINX_HOST}'; } }"


def need(image: str) -> None:
    row = next(row for row in TABLE if row.image == image)
    if not installed(row):
        pytest.skip(f"this machine has no {row.program}")


@pytest.fixture(params=["who runs this", "ordinary user"])
def anybody(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Court]:
    if request.param == "who runs this":
        with courtyard(tmp_path / "m") as made:
            made.root.mkdir()
            yield made
        return
    if os.getuid():
        pytest.skip("an ordinary user runs this already")
    root = Path(tempfile.mkdtemp(prefix="madang-", dir="/tmp"))
    try:
        person = dress(request.param, root)
        yield person
        person.run("down", "--purge")
        assert not person.home.exists()
    finally:
        shutil.rmtree(root)


def compose(court: Court, services: str, **files: str) -> Path:
    """A folder that belongs to whoever runs it; `a__b_conf` is a/b.conf."""
    folder = write_app(court.root / "app", "api: {build: ./program}")
    (folder / "compose.yaml").write_text(textwrap.dedent(services))
    for name, text in files.items():
        *above, last = name.split("__")
        path = folder.joinpath(*above, last.replace("_", "."))
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return own(folder)


def redis(port: int, *words: str) -> str:
    """What a Redis says, to a client that gives the password first."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as to:
        answers = to.makefile("rb")
        said = b""
        for command in (("AUTH", "sesame"), words):
            to.sendall(b"*%d\r\n" % len(command) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in command))
            said = answers.readline().strip()
            if said.startswith(b"$") and said != b"$-1":
                said = answers.readline().strip()
        return said.decode()


def soon(ask: Callable[[], str]) -> str:
    """Its answer once it gives one."""
    while True:
        try:
            if answer := ask():
                return answer
        except OSError:
            continue


def test_redis_keeps_what_it_was_told(anybody: Court) -> None:
    need("redis")
    port = free_port()
    here = compose(
        anybody,
        f"""
        services:
          cache:
            image: docker.io/library/redis:alpine
            command: redis-server --appendonly yes --requirepass sesame
            volumes: ["kept:/data"]
            ports: ["{port}:6379"]
            healthcheck: {{test: ["CMD", "redis-cli", "-a", "sesame", "ping"], interval: 1s}}
          other: {{image: redis, command: 'sh -c "redis-server --requirepass $$WORD"', environment: {{WORD: open}}}}
        volumes: {{kept: }}
        """,
    )
    anybody.run("up", "--detach", cwd=here)
    assert redis(port, "SET", "a", "1") == "+OK"
    assert anybody.run("exec", "cache", "--", "redis-cli", "-a", "sesame", "get", "a").stdout == "1\n"
    assert anybody.run("exec", "other", "--", "redis-cli", "-a", "open", "ping").stdout == "PONG\n"
    anybody.run("break", "cache")
    assert soon(lambda: redis(port, "GET", "a")) == "1"
    id = id_of(anybody.home)
    anybody.run("down")
    assert traces(id, anybody.home) == []
    anybody.run("up", "--detach", cwd=here)
    assert redis(port, "GET", "a") == "1"


def test_nginx_serves_files_and_leads_to_services(anybody: Court) -> None:
    need("nginx")
    ports = [free_port() for _ in range(4)]
    before = sorted(Path("/etc/nginx").rglob("*")) if Path("/etc/nginx").is_dir() else []
    here = compose(
        anybody,
        f"""
        services:
          api: {{build: ./program}}
          web:
            image: nginx:1
            ports: ["{ports[0]}:80"]
            volumes: ["./html:/usr/share/nginx/html:ro", "./conf/default.conf:/etc/nginx/conf.d/default.conf:ro"]
            deploy: {{replicas: 2}}
            healthcheck: {{test: curl -f http://localhost/, interval: 1s}}
          whole:
            image: nginx:1-alpine
            ports: ["{ports[1]}:80"]
            volumes: ["./conf/nginx.conf:/etc/nginx/nginx.conf"]
          filled:
            image: nginx:alpine
            ports: ["{ports[2]}:8088"]
            volumes: ["./templates:/etc/nginx/templates"]
            environment: {{NGINX_PORT: 8088, NGINX_HOST: example.org}}
          early:
            image: nginx
            command: >
              sh -c "envsubst '$$NAME' < /etc/nginx/conf.d/a.in > /etc/nginx/conf.d/default.conf
              && nginx -g 'daemon off;'"
            ports: ["{ports[3]}:80"]
            volumes: ["./conf/a.in:/etc/nginx/conf.d/a.in"]
            environment: {{NAME: early}}
        """,
        html__index_html="hello",
        conf__default_conf=DEFAULT_CONF,
        conf__nginx_conf=NGINX_CONF,
        conf__a_in="server { listen 80; location / { return 200 $NAME; } }",
        templates__default_conf_template=TEMPLATE,
    )  # fmt: skip
    anybody.run("up", "--detach", cwd=here)
    assert get(ports[0]) == "hello" and get(ports[0], "/api/") == "version 1"
    assert get(ports[1]) == "version 1"
    assert get(ports[2], "/x") == "/x of example.org"
    assert get(ports[3]) == "early"
    checked = anybody.run("exec", "web", "--", "nginx", "-t")
    assert "test is successful" in checked.stdout + checked.stderr
    assert '"GET / HTTP/1.1" 200' in anybody.run("logs", "whole").stdout
    assert "web: ready 2/2" in anybody.run("up", "--detach", cwd=here).stdout
    after = sorted(Path("/etc/nginx").rglob("*")) if before else []
    assert after == before, "the machine's own configuration is not ours"


@pytest.mark.slow
@pytest.mark.parametrize("anybody", ["who runs this" if os.getuid() else "ordinary user"], indirect=True)
def test_rabbitmq_is_as_its_image(anybody: Court) -> None:
    need("rabbitmq")
    port, door = free_port(), free_port()
    here = compose(
        anybody,
        f"""
        services:
          mq:
            image: rabbitmq:3-management-alpine
            environment: {{RABBITMQ_DEFAULT_USER: shop, RABBITMQ_DEFAULT_PASS: "se#cret"}}
            ports: ["{port}:5672", "{door}:15672"]
            volumes: ["kept:/var/lib/rabbitmq"]
            healthcheck: {{test: rabbitmq-diagnostics -q ping, interval: 1s}}
        volumes: {{kept: }}
        """,
    )
    anybody.run("up", "--detach", "--allow-other-versions", cwd=here)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as to:
        to.sendall(b"AMQP\0\0\x09\x01")
        assert to.recv(1) == b"\x01", "the first frame is a method"
    asked = urllib.request.Request(f"http://127.0.0.1:{door}/api/vhosts")
    asked.add_header("Authorization", f"Basic {b64encode(b'shop:se#cret').decode()}")
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert b'"name":"/"' in answer.read()
    anybody.run("exec", "mq", "--", "rabbitmqctl", "add_vhost", "kept")
    id = id_of(anybody.home)
    anybody.run("down")
    assert traces(id, anybody.home) == []
    anybody.run("up", "--detach", "--allow-other-versions", cwd=here)
    assert "kept" in anybody.run("exec", "mq", "--", "rabbitmqctl", "list_vhosts").stdout
