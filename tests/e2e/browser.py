"""A real browser (Debian's chromium, driven by Playwright) for tests of the dashboard.

In: a courtyard. Out: pages that have come in by a one-time link. Where there is no chromium, tests say so and skip.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Court

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = Path(__file__).parent / "axe" / "axe.min.js"
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH (Debian: apt-get install chromium)")
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@contextmanager
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright (./dev setup installs it)")
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []  # chromium's sandbox refuses root
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            yield browser
        finally:
            browser.close()


def enter(browser: Any, court: Court, *, locale: str = "en-GB", viewport: Any = WIDE, **given: Any) -> Any:
    """A fresh visitor's page, open and live; what its console complains of is kept in `page.complaints`."""
    page = browser.new_context(locale=locale, viewport=viewport, **given).new_page()
    page.complaints = []
    page.on("console", lambda m: m.type in ("error", "warning") and page.complaints.append(m.text))
    page.on("pageerror", lambda e: page.complaints.append(str(e)))
    page.goto(court.run("dashboard").stdout.strip())
    page.wait_for_selector(".house")
    page.wait_for_function("() => window.htmx")  # as a function: the page's policy forbids to evaluate text
    return page


def violations(page: Any) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA. Its script is run by the test, past the page's own policy."""
    page.evaluate(AXE.read_text())
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", rules)
    return [f"{v['id']}: {n['html'][:160]} {n['failureSummary']}" for v in found["violations"] for n in v["nodes"]]
