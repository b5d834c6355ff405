"""The smallest Docker engine: it has one image, and gives it on a unix socket as `docker save` would."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path


class Engine:
    def __init__(self, name: str, archive: bytes) -> None:
        self.name, self.archive = name, archive
        self.asked: list[str] = []
        self.cut = False


@contextmanager
def docker(socket: Path, engine: Engine) -> Iterator[str]:
    """The value of DOCKER_HOST."""

    class Handler(BaseHTTPRequestHandler):
        def address_string(self) -> str:
            return "unix"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            engine.asked.append(self.path)
            known = {f"/images/{engine.name}/json": b"{}", f"/images/{engine.name}/get": engine.archive}
            body = known.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("content-length", str(len(body or b"")))
            self.end_headers()
            body = body or b""
            self.wfile.write(body[: len(body) // 2] if engine.cut else body)

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

    server = Server(str(socket), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"unix://{socket}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
