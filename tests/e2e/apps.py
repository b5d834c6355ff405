"""A small application for tests of faults: one program whose environment says how it behaves, nothing to install.

In: a folder, services as Compose text. Out: a `compose.yaml` with a build folder beside it.
"""

import textwrap
import urllib.request
from pathlib import Path

from tests.e2e.conftest import Court
from tests.free_ports import free_port

PROGRAM = """
import http.server, os, signal, sys, time

mode = os.environ.get("MODE", "")
if mode == "quits":
    sys.exit("cannot reach the moon")
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/hang":
            time.sleep(600)
        self.send_response(500 if self.path == "/no" else 200)
        self.end_headers()
        self.wfile.write(b"version 1")

    def log_message(self, *words):
        pass


address = os.environ.get("BIND") or os.environ.get("HOST") or "0.0.0.0", int(os.environ.get("PORT") or 8000)
print("listening", flush=True)
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""
DOCKERFILE = """
FROM python:3-slim
WORKDIR /app
COPY . /app
EXPOSE 8000
CMD ["python3", "program.py"]
"""


def write_app(folder: Path, services: str) -> Path:
    """`services` is what stands below `services:`."""
    program = folder / "program"
    program.mkdir(parents=True, exist_ok=True)
    (program / "program.py").write_text(PROGRAM)
    (program / "Dockerfile").write_text(DOCKERFILE)
    text = textwrap.indent(textwrap.dedent(services).strip(), "  ")
    (folder / "compose.yaml").write_text(f"services:\n{text}\n")
    return folder


def bring(court: Court, folder: Path) -> int:
    """One instance of the program, up. The port where it is published."""
    port = free_port()
    write_app(folder, f'a: {{build: ./program, ports: ["{port}:8000"]}}')
    court.run("up", "--detach", cwd=folder)
    return port


def get(port: int, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())
