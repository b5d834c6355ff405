"""The dashboard over HTTP: the page, its stream of changes, its buttons, its files. Loaded with the first request.

In: ASGI requests. Out: answers that all carry the same strict headers. `doors.admit` decides who comes in, before
anything else is looked at.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from madang.ports.errors import StatusError
from madang.web.deeds import Deeds
from madang.web.doors import HEADERS, Refused, admit, cookie
from madang.web.fragments import Renderer
from madang.web.keys import COOKIE, SESSION_S, Keys, Used
from madang.web.live import Live, TooManyPages
from madang.web.sources import Sources
from madang.web.text import LANGUAGES, Language

STATIC = Path(__file__).parent / "static"
FORM_BYTES = 4096
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".LICENSE": "text/plain"}
STREAM = {"content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no"}
LANGUAGE_COOKIE = "lang"


class App:
    def __init__(self, sources: Sources, keys: Keys, home: Path, port: int) -> None:
        self._keys, self._port, self._clock = keys, port, sources.clock
        self._sources = sources
        self._used = Used(home / "dashboard.used")
        self._live = Live(sources)
        self._deeds = Deeds(sources.api, sources.clock, home)
        self._pages = {language: Renderer(language) for language in LANGUAGES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            answer = await self._answer(request)
        except StatusError as refusal:
            answer = PlainTextResponse(refusal.message, refusal.code)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        await answer(scope, receive, send)

    async def close(self) -> None:
        await self._live.close()
        await self._deeds.close()

    async def _answer(self, request: Request) -> Response:
        own = self._keys.path
        path = request.url.path
        inside = path.removeprefix(own) if path.startswith(own) else path.removeprefix("/")
        passed = admit(request.method, inside, request.headers, self._keys, self._port, self._clock.now_s())
        language = spoken(request)
        if isinstance(passed, Refused):
            if passed.status == 401:
                return self._closed(language)
            return PlainTextResponse(f"{passed.why}\n", passed.status)
        if inside.startswith("static/"):
            return static(inside.removeprefix("static/"))
        if inside.startswith("enter/"):
            return self._enter(inside.removeprefix("enter/"), language)
        if not path.startswith(own):
            return self._closed(language)
        return await self._within(request, inside, passed.session, language)

    async def _within(self, request: Request, inside: str, session: str, language: Language) -> Response:
        if request.method == "POST" and inside.startswith("do/"):
            return await self._do(request, inside.removeprefix("do/"), language)
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("method\n", 405)
        if inside == "":
            return await self._page(request, session, language)
        if inside == "live" and request.method == "GET":
            since = request.headers.get("last-event-id") or request.query_params.get("since", "")
            return StreamingResponse(self._stream(language, since), headers=STREAM)
        return PlainTextResponse("there is no such page\n", 404)

    async def _page(self, request: Request, session: str, language: Language) -> Response:
        moment, picture, html = await self._live.page(language)
        body = self._pages[language].page(
            "page",
            courtyard=self._sources.record().get("name", ""),
            token=self._keys.token(session),
            since=moment,
            picture=picture,
            html=html,
        )
        answer = HTMLResponse(body)
        if request.query_params.get("lang") == language:
            answer.set_cookie(
                LANGUAGE_COOKIE, language, max_age=SESSION_S, path=self._keys.path, httponly=True, samesite="strict"
            )
        return answer

    async def _stream(self, language: Language, since: str) -> AsyncIterator[bytes]:
        try:
            yield b"retry: 1000\n\n"
            async with contextlib.aclosing(self._live.changes(language, since)) as changes:
                async for moment, fragments in changes:
                    yield b"".join(events(fragments, moment))
        except TooManyPages:
            return

    async def _do(self, request: Request, deed: str, language: Language) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > FORM_BYTES:
                return PlainTextResponse("too long\n", 413)
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        page = self._pages[language]
        try:
            text = await self._deeds.do(deed, form)
        except StatusError as refusal:
            return HTMLResponse(page.page("said", fine=False, text=refusal.message), refusal.code)
        return HTMLResponse(page.page("said", fine=True, text=text.of(language)))

    def _enter(self, word: str, language: Language) -> Response:
        now = self._clock.now_s()
        found = self._keys.link_of(word, now)
        if found is None or not self._used.take(*found, now):
            return self._closed(language, used=True)
        # A page that goes on by itself, and no redirect: a Strict cookie is not sent with a redirect that another
        # site's link began.
        answer = HTMLResponse(self._pages[language].page("enter", to=self._keys.path))
        session = self._keys.session(now)
        answer.set_cookie(COOKIE, session, max_age=SESSION_S, path=self._keys.path, httponly=True, samesite="strict")
        return answer

    def _closed(self, language: Language, used: bool = False) -> Response:
        return HTMLResponse(self._pages[language].page("closed", used=used), 401)


def events(fragments: Sequence[tuple[str, str]], moment: str) -> Iterator[bytes]:
    """Only the last one says the moment: a page whose stream breaks off between two has not all of it yet."""
    last = len(fragments) - 1
    for at, (name, html) in enumerate(fragments):
        yield event(name, html, moment if at == last else "")


def event(name: str, html: str, moment: str = "") -> bytes:
    """One server-sent event; a line break in the text is another `data:` line, however it is written. An empty
    fragment is one empty line: an event without data would be dropped."""
    lines = "".join(f"data: {line}\n" for line in html.splitlines() or [""])
    return f"{f'id: {moment}' if moment else ':'}\nevent: {name}\n{lines}\n".encode()


def spoken(request: Request) -> Language:
    """What was switched to, else what the browser would rather have."""
    for word in (request.query_params.get("lang", ""), cookie(request.headers.get("cookie", ""), LANGUAGE_COOKIE)):
        for known in LANGUAGES:
            if word == known:
                return known
    return preferred(request.headers.get("accept-language", ""))


def preferred(header: str) -> Language:
    """By weight (RFC 9110, 12.5.4); English where nothing of ours is asked for."""
    wishes: list[tuple[float, int, Language]] = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, parameter = part.strip().partition(";")
        for known in LANGUAGES:
            if tag.lower().split("-")[0] == known:
                wishes.append((-weight(parameter), place, known))
    return min(wishes)[2] if wishes else "en"


def weight(parameter: str) -> float:
    try:
        return float(parameter.strip().removeprefix("q=") or 1)
    except ValueError:
        return 0.0


def static(name: str) -> Response:
    suffix = next((s for s in TYPES if name.endswith(s)), "")
    found = STATIC / name
    if not suffix or "/" in name or not found.is_file():
        return PlainTextResponse("there is no such file\n", 404)
    kind = f"{TYPES[suffix]}; charset=utf-8"
    return Response(found.read_bytes(), headers={"content-type": kind, "cache-control": "no-cache"})
