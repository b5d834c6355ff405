"""A registry in a thread, for tests: honest by itself, and as bad as a test wants it.

`faults` are (part of the path, what happens instead); each strikes once, then it is gone.
"""

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from madang.node.images.layout import MANIFEST
from tests.node.images.made import sha256

Fault = Callable[["Handler"], None]


class Registry:
    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[bytes, str]] = {}
        self.faults: list[tuple[str, Fault]] = []
        self.seen: list[str] = []  # "GET /v2/..."
        self.user = ""  # "name:password": tokens are asked for
        self.basic = False  # or the password itself
        self.mounts = False
        self.ranges = True
        self.port = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def domain(self) -> str:
        return f"127.0.0.1:{self.port}"

    def offer(self, tag: str, digest: str, blobs: dict[str, bytes], kind: str = MANIFEST) -> None:
        self.manifests[tag] = self.manifests[digest] = (blobs[digest], kind)
        self.blobs |= blobs

    def count(self, word: str) -> int:
        return sum(word in line for line in self.seen)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content_length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status: int, code: str, **headers: str) -> None:
        self.answer(status, json.dumps({"errors": [{"code": code, "message": "so it is"}]}).encode(), **headers)

    def handle_one(self) -> None:
        r = self.registry
        self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
        r.seen.append(f"{self.command} {self.path}")
        for i, (part, fault) in enumerate(r.faults):
            if part in self.path:
                del r.faults[i]
                fault(self)
                return
        if self.path.startswith("/token"):
            good = f"Basic {base64.b64encode(r.user.encode()).decode()}"
            if self.headers.get("authorization") == good:
                self.answer(200, b'{"token": "open-sesame"}')
            else:
                self.error(401, "DENIED")
        elif not self.known():
            asked = 'Basic realm="x"' if r.basic else f'Bearer realm="{r.base}/token",service="fake",scope="a:b:pull"'
            self.error(401, "UNAUTHORIZED", www_authenticate=asked)
        else:
            self.serve()

    do_GET = do_HEAD = do_POST = do_PUT = handle_one

    def known(self) -> bool:
        r = self.registry
        said = self.headers.get("authorization")
        good = f"Basic {base64.b64encode(r.user.encode()).decode()}" if r.basic else "Bearer open-sesame"
        return not r.user or said == good

    def serve(self) -> None:
        r, url = self.registry, urlsplit(self.path)
        query, last = parse_qs(url.query), url.path.rpartition("/")[2]
        if self.command == "POST":
            if r.mounts and query.get("mount", [""])[0] in r.blobs:
                self.answer(201)
            else:
                self.answer(202, location="/v2/upload/1?state=x")
        elif self.command == "PUT" and "upload" in url.path:
            r.blobs[query["digest"][0]] = self.body
            self.answer(201 if sha256(self.body) == query["digest"][0] else 400)
        elif self.command == "PUT":
            r.manifests[last] = (self.body, self.headers["content-type"])
            self.answer(201, docker_content_digest=sha256(self.body))
        elif "/manifests/" in url.path and last in r.manifests:
            body, kind = r.manifests[last]
            self.answer(200, body, content_type=kind)
        elif "/blobs/" in url.path and last in r.blobs:
            self.blob(r.blobs[last])
        else:
            self.error(404, "UNKNOWN")

    def blob(self, body: bytes) -> None:
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        if start and self.registry.ranges:
            at = int(start[1])
            self.answer(206, body[at:], content_range=f"bytes {at}-{len(body) - 1}/{len(body)}")
        else:
            self.answer(200, body)

    def cut(self, body: bytes, promised: int) -> None:
        """Promise so many bytes, send these, and hang up."""
        self.send_response(200)
        self.send_header("content-length", str(promised))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True


@contextmanager
def serving() -> Iterator[Registry]:
    registry = Registry()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"registry": registry}))
    registry.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
