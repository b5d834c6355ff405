"""From a command to an answer: `up --detach` of an empty courtyard, and of the shop to its page's first 200."""

import http.client
import subprocess
import threading
import time

from bench.court import SHOP, Court, courtyard, load, quiet
from bench.table import Measure, show

RUNS = 7


def empty(court: Court) -> list[float]:
    took = []
    for _ in range(RUNS):
        quiet()
        took.append(court.timed("up", "--detach"))
        court.run("down", "--purge")
    return took


def first_page(court: Court) -> tuple[float, float]:
    """Seconds until the page answers 200, and until `up` returns."""
    begin = time.perf_counter()
    answered: list[float] = []
    stop = threading.Event()

    def look() -> None:
        while not answered and not stop.wait(0.005):
            try:
                door = http.client.HTTPConnection("127.0.0.1", court.shop_port, timeout=1)
                door.request("GET", "/", headers={"connection": "close"})
                if door.getresponse().status == 200:
                    answered.append(time.perf_counter() - begin)
                door.close()
            except (OSError, http.client.HTTPException):
                continue

    looking = threading.Thread(target=look)
    looking.start()
    try:
        done = subprocess.run(
            court.command("up", "--detach", str(SHOP)), env=court.env, capture_output=True, text=True, check=False
        )
    finally:
        time.sleep(0.2)
        stop.set()
        looking.join()
    if done.returncode or not answered:
        raise RuntimeError(f"the shop did not come: {done.stdout}{done.stderr}")
    return answered[0], time.perf_counter() - begin - 0.2


def main() -> None:
    with courtyard() as court:
        measures = [Measure("up --detach, empty, to the command's end", empty(court), "s", "1.0 s", "4.0 to 4.4 s")]
        first_page(court)  # makes the environments
        court.run("down")
        rounds = []
        for _ in range(RUNS):
            quiet()
            rounds.append(first_page(court))
            court.run("down")
        pages, ends = zip(*rounds, strict=True)
        measures.append(Measure("up --detach examples/shop, to the page's first 200", pages, "s", "3 s"))
        measures.append(Measure("up --detach examples/shop, to the command's end", ends, "s"))
    show(f"Starting ({load()})", measures)
