"""What a server needs beside it to be as in its image: commands on PATH, a configuration folder of its own.

In: a row of the table. Out: how it is entered, its environment and mounts, and files to make, as values; `put` makes
one. The machine's own configuration of the same server (/etc/nginx, say) is neither read nor written.
"""

import os
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import madang
from madang.app.images import directives, scripts
from madang.app.images.table import Server

START = "import sys; sys.path.insert(0, sys.argv[1]); from madang.app.images.nginx import main; main(sys.argv[2:])"
TYPES = "mime.types"
SHARED = (TYPES, "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params")  # the server's own, copied
FEW_TYPES = """types {
  text/html html htm; text/css css; text/plain txt; application/javascript js mjs; application/json json;
  image/png png; image/jpeg jpg jpeg; image/svg+xml svg; image/webp webp; image/x-icon ico; font/woff2 woff2;
}
"""
NGINX_CONF = """worker_processes auto;
error_log /var/log/nginx/error.log notice;
events {
  worker_connections 1024;
}
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log /var/log/nginx/access.log;
  sendfile on;
  keepalive_timeout 65;
  include /etc/nginx/conf.d/*.conf;
}
"""
DEFAULT_CONF = """server {
  listen 80;
  listen [::]:80;
  server_name localhost;
  location / {
    root /usr/share/nginx/html;
    index index.html index.htm;
  }
}
"""


def entrypoint(row: Server) -> tuple[str, ...]:
    if row.script:
        return ("/bin/sh", "-c", scripts.PLACE + row.script, row.image)
    source = str(Path(madang.__file__).parents[1])
    return (sys.executable, "-I", "-S", "-c", START, source)


def environment(row: Server, path: str) -> dict[str, str]:
    match row.image:
        case "postgres":
            return {"PGHOST": row.data[0]}  # where its clients find it
        case "rabbitmq":
            return {"RABBITMQ_CONF_ENV_FILE": f"{row.data[0]}/.madang/rabbitmq-env.conf", "LC_ALL": "C.UTF-8"}
        case "nginx":
            lowest = {"MADANG_LOWEST": str(low)} if (low := lowest_port()) else {}
            known = {"MADANG_TEMPORARY": " ".join(temporary(path))}
            return {"MADANG_ETC": "/etc/nginx", "MADANG_RUN": row.scratch, **known, **lowest}
    return {}


def lowest_port() -> int:
    """The first port that we may open; 0: any."""
    if os.geteuid() == 0:
        return 0
    try:
        return int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    except (OSError, ValueError):
        return 1024


def opened(row: Server, port: int) -> int:
    """The number under which a server of ours opens a port: one that we may not open stands higher."""
    return port + directives.HIGHER if row.image == "nginx" and port < lowest_port() else port


@cache
def temporary(path: str) -> tuple[str, ...]:
    """The modules that it has been built with want folders of their own, and no others may be named."""
    try:
        told = subprocess.run([path, "-V"], capture_output=True, text=True, timeout=10, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return directives.TEMPORARY
    return tuple(kind for kind in directives.TEMPORARY if f"--without-http_{kind}_module" not in told)


def mounts(row: Server, tools: Path) -> tuple[tuple[str, str], ...]:
    return ((str(tools / "etc"), "/etc/nginx"),) if row.image == "nginx" else ()


def has_tools(row: Server) -> bool:
    return row.image in ("redis", "nginx")


def tools(row: Server, path: str, folder: Path) -> dict[Path, str]:
    """Files by path. A command that stands here wins over the machine's own of that name."""
    match row.image:
        case "redis":
            client = shutil.which("redis-cli", path=f"{Path(path).parent}:{os.environ.get('PATH', os.defpath)}")
            own = {"redis-server": f"#!/bin/sh\n{scripts.PLACE}{scripts.REDIS}"}
            asks = {"redis-cli": scripts.REDIS_CLI.format(program=client)} if client else {}
            return {folder / "bin" / name: text for name, text in {**own, **asks}.items()}
        case "nginx":
            begin = f"#!/bin/sh\nexec {shlex.join(entrypoint(row))}"
            return {
                folder / "bin" / "nginx": f'{begin} nginx "$@"\n',
                folder / "bin" / "envsubst": f'{begin} envsubst "$@"\n',
                folder / "etc" / "nginx.conf": NGINX_CONF,
                folder / "etc" / "conf.d" / "default.conf": DEFAULT_CONF,
                **{folder / "etc" / name: text for name, text in shared().items()},
            }
    return {}


def shared() -> dict[str, str]:
    out = {TYPES: FEW_TYPES}
    for top in ("/usr/local/nginx/conf", "/usr/local/etc/nginx", "/etc/nginx"):
        for name in SHARED:
            try:
                out[name] = (Path(top) / name).read_text()
            except (OSError, ValueError):
                continue
    return out


def put(path: Path, text: str) -> None:
    """In place, since a running instance may have it mounted."""
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if path.parent.name == "bin":
        path.chmod(0o755)
