"""The dashboard in a real browser: what it shows and does, in both languages, by keyboard, on a phone; its doors."""

import http.client
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import pytest

from tests.e2e.apps import write_app
from tests.e2e.browser import PHONE, chromium, enter, needs_browser, violations
from tests.e2e.conftest import Court, courtyard
from tests.e2e.images import bring

pytestmark = [pytest.mark.e2e, needs_browser]
SERVICES = """
front:
  build: ./program
  healthcheck: {test: ["CMD", "true"], interval: 1s}
  depends_on: [back]
  environment: {BACK: "http://back:8000"}
  x-madang: {route: {host: front.localhost, path: /}}
back:
  build: ./program
  healthcheck: {test: ["CMD", "true"], interval: 1s}
  deploy: {replicas: 2}
"""
EVIL = "<img src=x onerror=\"document.title='broken in'\"><script>document.title='broken in'</script>"


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    root = tmp_path_factory.mktemp("dashboard")
    with courtyard(root / "m") as made:
        made.run("up", "--detach", str(write_app(root / "app", SERVICES)))
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


def card(page: Any, service: str) -> Any:
    return page.locator(f".card[id$='_{service}']")


def test_shows_the_picture_and_the_application(court: Court, browser: Any) -> None:
    page = enter(browser, court)
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator(".band > h2").all_inner_texts() == ["infrastructure", "platform", "application"]
    bus = page.locator(".element-message-bus")
    assert "RabbitMQ, Kafka" in bus.inner_text() and "grey" in bus.get_attribute("class")
    assert page.locator(".element-gateway .lamp.is-ok").count() == 1
    assert card(page, "back").locator(".ready").inner_text() == "2/2"
    assert re.search(r"10\.|127\.", card(page, "back").locator(".addresses").inner_text())
    lines = page.locator(".graph li").all_inner_texts()  # the drawing's words, for who does not see it
    assert any(re.match(r"front (may call|calls) back", line) for line in lines), lines
    assert any(re.match(r"people (may call|calls) front", line) for line in lines), lines
    assert page.complaints == []


def test_an_image_that_comes_is_shown_as_layers_and_programs_with_their_use(
    court: Court, browser: Any, tmp_path: Path
) -> None:
    page = enter(browser, court, viewport=PHONE)
    page.wait_for_selector(".gauges li")
    gauge = page.locator(".gauges li").first.inner_text()
    assert "no limit" in gauge and "MiB" in gauge and "CPU" in gauge
    with ThreadPoolExecutor(1) as aside:  # a loop runs in this thread already
        aside.submit(bring, court.home, tmp_path).result()
    page.wait_for_selector(".pile h4:has-text('tiny:1')")
    assert page.locator(".pile .slab").all_inner_texts()[-1].startswith("base")
    assert "nothing here runs it" in page.locator(".pile").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.complaints == [] and violations(page) == []


def test_speaks_korean(court: Court, browser: Any) -> None:
    page = enter(browser, court, locale="ko-KR")
    assert page.locator("html").get_attribute("lang") == "ko"
    assert page.locator(".band > h2").all_inner_texts() == ["인프라", "플랫폼", "애플리케이션"]
    assert "서비스 탐색" in page.locator(".element-discovery").inner_text()
    page.get_by_role("link", name="English").click()
    page.wait_for_selector("html[lang=en]")
    page.reload()
    assert page.locator("html").get_attribute("lang") == "en", "a choice is kept"
    page.get_by_role("link", name="한국어").click()
    page.wait_for_selector("html[lang=ko]")
    assert "모두 정상입니다" in page.locator(".top").inner_text()


def test_a_button_scales_and_the_page_follows_without_a_reload(court: Court, browser: Any) -> None:
    page = enter(browser, court)
    page.evaluate("window.still = 'the same page'")
    card(page, "front").get_by_role("button", name="one instance of front more").click()
    page.wait_for_selector("#said >> text=front: 1 to 2")
    page.wait_for_function("() => document.querySelector('.card[id$=_front] .ready').innerText === '2/2'")
    assert json.loads(court.kubectl("get", "deployment", "front", "-o", "json"))["spec"]["replicas"] == 2
    court.run("scale", "front", "1")
    page.wait_for_function("() => document.querySelector('.card[id$=_front] .ready').innerText === '1/1'")
    assert page.evaluate("window.still") == "the same page"


def test_breaking_one_is_seen_and_heals(court: Court, browser: Any) -> None:
    page = enter(browser, court)
    before = int(card(page, "back").locator("dt:text-is('restarts') + dd").inner_text())
    card(page, "back").locator(".menu summary").click()
    card(page, "back").get_by_role("button", name="Kill one").click()
    page.wait_for_selector("#said >> text=was killed")
    page.wait_for_function(
        "n => document.querySelector('.card[id$=_back] .ready').innerText === '2/2' && "
        "[...document.querySelectorAll('.card[id$=_back] dt')].find(d => d.innerText === 'restarts')"
        ".nextElementSibling.innerText == n",
        arg=str(before + 1),
    )
    assert not card(page, "back").locator(".menu").get_attribute("open"), "a choice closes the menu"


@pytest.mark.parametrize(("how", "said"), [("Let one hang", "hangs for 30 s"), ("Slow one down", "is slow for 30 s")])
def test_one_is_made_ill_and_killed(court: Court, browser: Any, how: str, said: str) -> None:
    page = enter(browser, court)
    restarts = "[...document.querySelectorAll('.card[id$=_front] dt')].find(d => d.innerText === 'restarts')"
    before = int(page.evaluate(f"{restarts}.nextElementSibling.innerText"))
    for button, word in ((how, said), ("Kill one", "was killed")):
        card(page, "front").locator(".menu summary").click()
        card(page, "front").get_by_role("button", name=button).click()
        page.wait_for_selector(f"#said >> text={word}")
    page.wait_for_function(
        f"n => {restarts}.nextElementSibling.innerText == n && "
        "document.querySelector('.card[id$=_front] .ready').innerText === '1/1'",
        arg=str(before + 1),
    )


def test_restart_replaces_the_instances(court: Court, browser: Any) -> None:
    page = enter(browser, court)
    card(page, "front").locator(".more summary").click()
    old = card(page, "front").locator("tbody th").first.inner_text()
    card(page, "front").get_by_role("button", name="Restart front").click()
    page.wait_for_selector("#said >> text=front is being replaced")
    page.wait_for_function(
        "old => { const all = [...document.querySelectorAll('.card[id$=_front] tbody th')].map(t => t.innerText);"
        " return all.length === 1 && all[0] !== old }",
        arg=old,
    )
    assert card(page, "front").locator(".more").get_attribute("open") is not None, "what was opened stays open"


def test_by_keyboard_alone(court: Court, browser: Any) -> None:
    page = enter(browser, court)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "application"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('aria-label')") == "one instance of back fewer":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "what has the focus must be seen"
    page.keyboard.press("Enter")
    page.wait_for_selector("#said >> text=back: 2 to 1")
    page.wait_for_function("() => document.querySelector('.card[id$=_back] .ready').innerText === '1/1'")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "one instance of back fewer"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#said >> text=back: 1 to 2")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert card(page, "back").locator(".menu").get_attribute("open") is not None
    page.keyboard.press("Escape")
    assert card(page, "back").locator(".menu").get_attribute("open") is None
    page.wait_for_function("() => document.querySelector('.card[id$=_back] .ready').innerText === '2/2'")


@pytest.mark.parametrize(("locale", "scheme"), [("en-GB", "light"), ("ko-KR", "dark")])
@pytest.mark.parametrize("viewport", [None, PHONE], ids=["wide", "phone"])
def test_can_be_read_by_all(court: Court, browser: Any, locale: str, scheme: str, viewport: Any) -> None:
    given = {"viewport": viewport} if viewport else {}
    page = enter(browser, court, locale=locale, color_scheme=scheme, reduced_motion="reduce", **given)
    for summary in page.locator(".more summary").all():
        summary.click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing may stand out sideways"
    assert page.evaluate("getComputedStyle(document.querySelector('.pulse')).animationName") == "none"


def test_light_and_dark_are_chosen_and_kept(court: Court, browser: Any) -> None:
    page = enter(browser, court, color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Light or dark").click()
    dark = page.evaluate(paper)
    page.reload()
    assert page.evaluate(paper) == dark != light


def test_what_others_wrote_stays_text(court: Court, browser: Any, tmp_path: Path) -> None:
    """Labels, annotations, event messages, log lines (the last words of a program) and images, full of tags."""
    labels = {"app": "evil", "madang.dev/service": "evil"}
    last = "import sys; sys.stderr.write(sys.argv[1]); sys.exit(3)"
    container = {
        "name": "c", "image": "madang.dev/host", "command": ["python3", "-c", last, EVIL],
        "terminationMessagePolicy": "FallbackToLogsOnError", "env": [{"name": "X", "value": EVIL}],
    }  # fmt: skip
    template = {"metadata": {"labels": labels, "annotations": {"note": EVIL}}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    namespace = court.kubectl("config", "view", "--minify", "-o", "jsonpath={..namespace}")
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "evil"}, "spec": spec}
    about = {"kind": "Pod", "namespace": namespace, "name": EVIL}
    event = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "evil"}, "involvedObject": about,
        "reason": EVIL[:120], "message": EVIL, "type": "Warning", "lastTimestamp": "2999-01-01T00:00:00Z",
    }  # fmt: skip
    page = enter(browser, court)
    for one in (deployment, event):
        court.kubectl("apply", "-f", "-", stdin=json.dumps(one))
    try:
        page.wait_for_selector(".events >> text=<img src=x")
        page.wait_for_function("() => document.querySelector('.card[id$=_evil] .why')?.innerText.includes('<script>')")
        assert page.locator("img").count() == 0 and page.locator("main script").count() == 0
        assert page.title() == f"Madang · {court.name}"
        assert page.complaints == []
        page.reload()
        page.wait_for_selector(".events >> text=<img src=x")
        assert page.locator("img").count() == 0 and page.title() == f"Madang · {court.name}"
    finally:
        court.kubectl("delete", "deployment/evil", "event/evil", "--wait=false")


def test_goes_on_with_a_new_control_process(court: Court, browser: Any) -> None:
    """The control process is killed: the page says so, and is live again with the next, without a reload."""
    import os
    import signal

    page = enter(browser, court)
    page.evaluate("window.still = 'the same page'")
    os.kill(court.json("status")["pid"], signal.SIGKILL)
    page.wait_for_selector("#link.lost")
    court.run("up", "--detach", cwd=court.root)
    page.wait_for_selector("#link:not(.lost)")
    court.run("scale", "front", "2")
    page.wait_for_function("() => document.querySelector('.card[id$=_front] .ready').innerText === '2/2'")
    court.run("scale", "front", "1")
    assert page.evaluate("window.still") == "the same page"


def test_a_call_is_seen(court: Court, browser: Any) -> None:
    """The gateway tells whose address it was; on the loopback network programs have none of their own."""
    if court.json("status")["machine"]["network"] != "bridge":
        pytest.skip("callers can be told apart on the network `bridge` only")
    page = enter(browser, court)
    asking = "import urllib.request as u; print(u.urlopen('http://front:8000/').status)"
    assert "200" in court.run("exec", "back", "--", "python3", "-c", asking).stdout
    page.wait_for_function(
        "() => [...document.querySelectorAll('.graph li')].some(line => line.innerText.startsWith('back calls front'))"
    )


def test_a_link_is_printed_by_up_and_the_closed_door_can_be_read(court: Court, browser: Any) -> None:
    link = court.json("up", "--detach", str(court.root.parent / "app"))["dashboard_link"]
    page = browser.new_context(locale="ko-KR").new_page()
    page.goto(court.json("status")["addresses"]["dashboard"])
    assert "이 페이지는 링크로 열립니다" in page.locator("h1").inner_text()
    assert violations(page) == []
    page.goto(link)
    page.wait_for_selector(".house")
    page.goto(link)
    assert "이미 사용했거나 만료된 링크입니다" in page.locator("main").inner_text()


def test_a_page_that_nobody_sees_rests(court: Court, browser: Any) -> None:
    page = enter(browser, court)
    page.evaluate("""() => {
        document.body.dataset.rest = '0';
        window.stands = 0;
        document.addEventListener('htmx:sseMessage', () => window.stands++);
        window.hide = yes => {
            Object.defineProperty(document, 'hidden', {value: yes, configurable: true});
            document.dispatchEvent(new Event('visibilitychange'));
        };
        hide(true);
    }""")
    for _ in range(10):  # until the last of what was under way has come
        page.evaluate("window.stands = 0; hide(true)")
        page.wait_for_timeout(1500)
        if page.evaluate("window.stands") == 0:
            break
    court.run("scale", "front", "2")
    court.kubectl("rollout", "status", "deployment/front")
    assert page.evaluate("window.stands") == 0
    page.evaluate("hide(false)")
    page.wait_for_function("() => document.querySelector('.card[id$=_front] .ready').innerText === '2/2'")
    court.run("scale", "front", "1")
    page.wait_for_function("() => document.querySelector('.card[id$=_front] .ready').innerText === '1/1'")


def ask(at: SplitResult, method: str = "GET", path: str = "", **headers: str) -> tuple[int, dict[str, str], str]:
    """One request as anybody could make it; `host` and others as given."""
    talk = http.client.HTTPConnection("127.0.0.1", at.port, timeout=10)
    given = {"host": at.netloc, **{k.replace("_", "-"): v for k, v in headers.items()}}
    talk.putrequest(method, path or at.path, skip_host=True)
    for name, value in given.items():
        talk.putheader(name, value)
    if method == "POST":
        talk.putheader("content-length", "0")
    talk.endheaders()
    answer = talk.getresponse()
    found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read(20000).decode()
    talk.close()
    return found


def test_the_doors(court: Court) -> None:
    at = urlsplit(court.json("status")["addresses"]["dashboard"])
    status, headers, body = ask(at)
    assert status == 401 and "madang dashboard" in body, "no cookie: the way in is told, and nothing else"
    assert court.name not in body
    for policy in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"):
        assert policy in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert ask(at, host="evil.example")[0] == 421

    link = urlsplit(court.run("dashboard").stdout.strip())
    assert ask(at, path=link.path, host="evil.example")[0] == 421, "and it is not used up by that"
    status, headers, _ = ask(at, path=link.path)
    cookie = headers["set-cookie"]
    assert status == 200 and "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
    assert re.search(r"Path=/[^/;]{12}/", cookie), "other ports of this host must not get it"
    assert ask(at, path=link.path)[0] == 401, "a link works once"

    mine = cookie.partition(";")[0]
    status, headers, body = ask(at, cookie=mine)
    assert status == 200 and headers["cache-control"] == "no-store"
    token = re.search(r'X-Madang-Token": "([^"]+)"', body)
    assert token is not None
    own = f"http://{link.netloc}"
    deed = f"{link.path.partition('enter/')[0]}do/restart"
    good = {"cookie": mine, "origin": own, "x_madang_token": token[1]}
    assert ask(at, "POST", deed, **{**good, "origin": "http://127.0.0.1:1"})[0] == 403
    assert ask(at, "POST", deed, **{**good, "sec_fetch_site": "same-site"})[0] == 403
    assert ask(at, "POST", deed, **{**good, "x_madang_token": "guessed"})[0] == 403
    assert ask(at, "POST", deed, origin=own, x_madang_token=token[1])[0] == 401
    assert ask(at, "POST", deed, **good)[0] == 400, "comes in, and is told that it names no service"
    assert ask(at, "PUT", **good)[0] == 405
