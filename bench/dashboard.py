"""The dashboard in a real browser on the shop: first paint, a change seen, what an open page costs the control process.

Needs Debian's chromium and Playwright. Times are the browser's own; it runs on the same machine, and so on its cores.
"""

import asyncio
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bench.court import SHOP, Court, courtyard, cpu_s, load, memory_mb, quiet
from bench.load import Load
from bench.table import Measure, show

PAINTS, CHANGES, WATCH_S, SHOPPERS = 7, 10, 30.0, 20.0
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
SEE = """text => new Promise(seen => {
  const look = () => document.querySelector('main').innerText.includes(text) && (seen(Date.now()), true);
  if (!look()) new MutationObserver((_, it) => look() && it.disconnect())
    .observe(document.body, {childList: true, subtree: true, characterData: true});
})"""


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("no chromium on PATH: nothing was measured", file=sys.stderr)
        return
    with courtyard() as court:
        court.run("up", "--detach", str(SHOP))
        asyncio.run(measure(court, chromium))


async def measure(court: Court, chromium: str) -> None:
    from playwright.async_api import async_playwright

    control = int(court.status()["pid"])
    measures: list[Measure] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        quiet()
        before, _ = memory_mb(control)
        first = await from_the_link(browser, court)
        after, _ = memory_mb(control)
        measures += [
            Measure("the very first link to the page's first paint, libraries loaded on the way", [first], "ms"),
            Measure("memory that the first page brought", [after - before], "MB"),
        ]
        paints = []
        for _ in range(PAINTS):
            quiet()
            page, paint = await opened(browser, court)
            paints.append(paint)
            await page.context.close()
        measures.append(Measure("first paint", paints, "ms", "300 ms"))
        measures += await costs(browser, court, control)
        measures.append(Measure("a change seen, from the API's answer", await changes(browser, court), "ms", "500 ms"))
        await browser.close()
    show(f"The dashboard on the shop ({load()})", measures)


async def from_the_link(browser: Any, court: Court) -> float:
    """What a person waits who follows the printed link: two pages, since the first only sets the cookie."""
    page = await (await browser.new_context(viewport={"width": 1280, "height": 900})).new_page()
    link = court.run("dashboard").strip()
    begun = time.time() * 1000
    await page.goto(link)
    await page.wait_for_selector(".house")
    await page.wait_for_function(f"() => {PAINT.replace('.startTime', '')}")
    found = await page.evaluate(f"performance.timeOrigin + {PAINT}") - begun
    await page.context.close()
    return float(found)


async def opened(browser: Any, court: Court) -> tuple[Any, float]:
    """(a page of a new visitor, when it was painted), in milliseconds after it was asked for."""
    page = await (await browser.new_context(viewport={"width": 1280, "height": 900})).new_page()
    link = court.run("dashboard").strip()
    await page.context.request.get(link)  # exchanged for the cookie, without a page
    await page.goto(link.partition("enter/")[0])
    await page.wait_for_function(f"() => {PAINT.replace('.startTime', '')}")
    return page, float(await page.evaluate(PAINT))


async def changes(browser: Any, court: Court) -> list[float]:
    """An Event is written; the page's own observer says when its message stands there."""
    page, _ = await opened(browser, court)
    await page.wait_for_timeout(1000)
    api = court.api()
    found = []
    for n in range(CHANGES):
        quiet(1.0)
        text = f"change number {n} of the bench"
        seeing = asyncio.ensure_future(page.evaluate(SEE, text))
        await asyncio.sleep(0.3)
        about = {"kind": "Pod", "namespace": "shop", "name": "bench"}
        event = {
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": f"bench-{n}", "namespace": "shop"},
            "involvedObject": about, "reason": "Bench", "message": text, "type": "Normal",
            "lastTimestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60)),
        }  # fmt: skip
        await api.create("events", event, namespace="shop")
        written = time.time() * 1000
        found.append(max(0.0, await seeing - written))
    await api.close()
    await page.context.close()
    return found


async def costs(browser: Any, court: Court, control: int) -> list[Measure]:
    """Percent of a core of the control process, with and without an open page, at rest and while people shop."""
    rest = await share(control)
    page, _ = await opened(browser, court)
    await page.wait_for_timeout(3000)
    open_ = await share(control)
    busy = await shopping(court, lambda: share(control))
    await page.context.close()
    await asyncio.sleep(12)  # until nothing looks any more
    without = await shopping(court, lambda: share(control))
    closed = await share(control)
    shop = f"people shop at {SHOPPERS:.0f}/s"
    return [
        Measure("control process, no page yet", [rest], "%"),
        Measure("control process, one page open", [open_], "%", "2 %"),
        Measure(f"control process, {shop}, one page open", [busy], "%", "2 % more than without"),
        Measure(f"control process, {shop}, no page", [without], "%"),
        Measure("control process, the page closed", [closed], "%"),
    ]


async def share(pid: int) -> float:
    before, begin = cpu_s(pid), time.monotonic()
    await asyncio.sleep(WATCH_S)
    return (cpu_s(pid) - before) / (time.monotonic() - begin) * 100


async def shopping(court: Court, look: Callable[[], Awaitable[float]]) -> float:
    people = asyncio.create_task(Load(court.shop_port, SHOPPERS).run())
    try:
        await asyncio.sleep(2)
        return await look()
    finally:
        people.cancel()
        await asyncio.gather(people, return_exceptions=True)


if __name__ == "__main__":
    main()
