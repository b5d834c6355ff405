"""One registry, spoken to: requests for one repository, with who we are, and with patience.

In: a base address and the name of an image. Out: answers with a good status, or `RegistryError` whose message carries
the registry's own words. 401 is answered with a token or a password, 429 and 5xx and broken connections with another
try. Secrets go to the registry and to the place that it names for tokens, never along a redirect, and never
unencrypted to another machine.
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from madang.node.images.limits import LIMITS, BadArchive
from madang.node.images.reference import Reference
from madang.node.images.registry.certificates import context, untrusted
from madang.node.images.registry.challenge import Challenge, challenge
from madang.node.images.registry.credentials import Login
from madang.node.images.registry.patience import AGAIN, Patience, retry_after_s
from madang.node.images.registry.places import loopback

AGENT = "madang"
REDIRECTS = 5
WORDS = 64 << 10  # of an error's body

Body = Callable[[], Iterator[bytes]]


class RegistryError(Exception):
    """`status` is 0 where there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `body` may be asked for several times, unless `once`: then nothing is tried again here."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    size: int = 0
    once: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """`who` is asked at most once, and only where the registry wants to know. Threads may share a client."""

    def __init__(
        self,
        base: str,
        image: Reference,
        who: Callable[[], Login | None],
        *,
        actions: str = "pull",
        mount_from: tuple[str, ...] = (),
        patience: Patience | None = None,
    ) -> None:
        self.base, self.image, self.patience = base, image, patience or Patience()
        self._who = who
        others = [f"repository:{path}:pull" for path in mount_from]
        self._scopes = [f"repository:{image.path}:{actions}", *others]
        self._lock = threading.Lock()
        self._authorization = ""
        local = loopback(httpx.URL(base).host)
        waits = httpx.Timeout(self.patience.silence_s, connect=self.patience.connect_s)
        self._http = httpx.Client(
            follow_redirects=True, max_redirects=REDIRECTS, timeout=waits, trust_env=not local,
            verify=False if base.startswith("http:") and local else context(_netloc(base)),
            headers={"user-agent": AGENT, "accept-encoding": "identity"}, event_hooks={"request": [_guard]},
        )  # fmt: skip

    def close(self) -> None:
        self._http.close()

    def url(self, path: str) -> str:
        return f"{self.base}/v2/{self.image.path}/{path}"

    @contextmanager
    def stream(self, asked: Asked) -> Iterator[httpx.Response]:
        """The answer, its body still to be read."""
        answer = self._send(asked)
        try:
            yield answer
        finally:
            answer.close()

    def request(self, asked: Asked) -> Answer:
        """The answer with its body, which is a document."""
        with self.stream(asked) as answer:
            body = b"" if asked.method == "HEAD" else bounded(answer)
            return Answer(answer.status_code, answer.headers, body)

    def _send(self, wish: Asked) -> httpx.Response:
        failures, asked = 0, False
        while True:
            used = self._authorization
            wait_s: float | None
            try:
                answer = self._http.send(self._request(wish, used), stream=True)
            except (httpx.TransportError, httpx.TooManyRedirects) as error:
                failures += 1
                wait_s = self.patience.delay_s(failures)
                if why := untrusted(error, _netloc(self.base)):
                    raise RegistryError(f"{self.base}: {why}") from error
                if wait_s is None or wish.once or isinstance(error, httpx.TooManyRedirects):
                    raise RegistryError(f"{self.base}: {error or type(error).__name__}") from error
                time.sleep(wait_s)
                continue
            if answer.is_success:
                return answer
            said = words(answer)
            answer.close()
            if answer.status_code == 401 and not asked:
                asked = True
                if self._introduce(answer.headers.get("www-authenticate", ""), used):
                    continue
            failures += 1
            wait_s = self.patience.delay_s(failures, retry_after_s(answer.headers, datetime.now(UTC)))
            if answer.status_code not in AGAIN or wait_s is None or wish.once:
                raise RegistryError(f"{self.base} answers {answer.status_code} {said}".rstrip(), answer.status_code)
            time.sleep(wait_s)

    def _request(self, wish: Asked, used: str) -> httpx.Request:
        known = dict(wish.headers)
        if wish.body is not None:
            known["content-length"] = str(wish.size)
        if used and _origin(wish.url) == _origin(self.base):
            known["authorization"] = used
        content = wish.body() if wish.body is not None else None
        return self._http.build_request(wish.method, wish.url, headers=known, content=content)

    def _introduce(self, header: str, used: str) -> bool:
        """Whether there is another answer to give than the one that was `used`."""
        with self._lock:
            if self._authorization != used:
                return True  # another thread was quicker
            asked = challenge(header)
            if asked is None:
                return False
            login = self._who()
            if asked.scheme == "basic":
                if login is None or not login.user:
                    return False
                self._authorization = _basic(login)
                return self._authorization != used
            self._authorization = f"Bearer {self._token(asked, login)}"
            return True

    def _token(self, asked: Challenge, login: Login | None) -> str:
        scopes = list(dict.fromkeys([*asked.scope.split(), *self._scopes]))
        fields: dict[str, Any] = {"service": asked.service, "scope": scopes}
        if login is not None and login.identity_token:
            more = {"grant_type": "refresh_token", "refresh_token": login.identity_token, "client_id": AGENT}
            request = self._http.build_request("POST", asked.realm, data={**fields, "scope": " ".join(scopes), **more})
        else:
            headers = {"authorization": _basic(login)} if login else {}
            request = self._http.build_request("GET", asked.realm, params=fields, headers=headers)
        try:
            answer = self._http.send(request, stream=True, follow_redirects=False)
            try:
                said = json.loads(bounded(answer)) if answer.is_success else {}
            finally:
                answer.close()
        except (httpx.HTTPError, ValueError) as error:
            raise RegistryError(f"{asked.realm}: no token: {error or type(error).__name__}") from error
        token = (said.get("token") or said.get("access_token")) if isinstance(said, dict) else None
        if not isinstance(token, str) or not token.isprintable():
            hint = "the name or the password is wrong" if login else "`docker login` may be needed"
            raise RegistryError(f"{asked.realm} gives no token ({answer.status_code}); {hint}", answer.status_code)
        return token


def bounded(answer: httpx.Response, most: int = LIMITS.document_bytes) -> bytes:
    """A document's bytes; what is longer than any document is refused on the way."""
    found = bytearray()
    try:
        for chunk in answer.iter_raw():
            found += chunk
            if len(found) > most:
                raise BadArchive(f"{answer.url}: more than {most} bytes")
    except httpx.TransportError as error:
        raise RegistryError(f"{answer.url}: {error or type(error).__name__}") from error
    return bytes(found)


def words(answer: httpx.Response) -> str:
    """What the registry says about an error: its JSON form, else nothing."""
    try:
        said = json.loads(bounded(answer, WORDS))["errors"]
        return "; ".join(f"{e.get('code', '')}: {e.get('message', '')}" for e in said)[:300]
    except (ValueError, KeyError, TypeError, AttributeError, RegistryError):
        return answer.reason_phrase


def _basic(login: Login) -> str:
    return f"Basic {base64.b64encode(f'{login.user}:{login.password}'.encode()).decode()}"


def _origin(url: str) -> tuple[str, str, int | None]:
    parsed = httpx.URL(url)
    return parsed.scheme, parsed.host, parsed.port


def _netloc(url: str) -> str:
    return httpx.URL(url).netloc.decode()


def _guard(request: httpx.Request) -> None:
    """Also on every redirect."""
    if request.url.scheme == "http" and not loopback(request.url.host):
        raise RegistryError(f"{request.url.host}: only registries of this machine are spoken to without TLS")
