"""Shops as people do, at a given rate, and prints throughput, errors and latency percentiles.

    python load.py http://127.0.0.1:8080 --rate 100 --seconds 30

Open loop: requests start when they are due, whether or not earlier ones are answered; latency counts from the moment
a request was due. Nothing is retried. Nine in ten look at the page, one buys (a POST).
An answer over a second is counted apart, as slow. Standard library only.
"""

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from urllib.parse import urlsplit

SLOW_S = 1.0


class Shopper:
    def __init__(self, url: str, seed: int) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        if self.host.endswith(".localhost"):  # means this machine (RFC 6761), whatever the resolver knows
            self.host = "127.0.0.1"
        self.name = parts.netloc
        self.random = random.Random(seed)
        self.idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.latencies: list[float] = []
        self.outcomes: Counter[str] = Counter()

    def wish(self) -> tuple[str, str, bytes]:
        dice = self.random.random()
        if dice < 0.9:
            return "GET", "/", b""
        return "POST", "/buy", json.dumps({"product": self.random.randint(1, 5), "quantity": 1}).encode()

    async def visit(self, due: float) -> None:
        method, path, body = self.wish()
        try:
            status = await asyncio.wait_for(self.request(method, path, body), 10)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
            self.outcomes[f"{method} {type(error).__name__}"] += 1
            return
        took = time.monotonic() - due
        self.latencies.append(took)
        good = status < 400 and took <= SLOW_S
        self.outcomes["ok" if good else f"{method} {status}" + (" slow" if took > SLOW_S else "")] += 1

    async def request(self, method: str, path: str, body: bytes) -> int:
        reader, writer = self.idle.pop() if self.idle else await asyncio.open_connection(self.host, self.port)
        try:
            head = f"{method} {path} HTTP/1.1\r\nHost: {self.name}\r\nContent-Length: {len(body)}\r\n"
            head += "Content-Type: application/json\r\n\r\n" if body else "\r\n"
            writer.write(head.encode() + body)
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:] if line)}
            await reader.readexactly(int(headers.get("content-length", "0")))
        except BaseException:
            writer.close()
            raise
        if headers.get("connection", "").lower() == "close":
            writer.close()
        else:
            self.idle.append((reader, writer))
        return int(lines[0].split()[1])

    async def shop(self, rate: float, seconds: float) -> float:
        begun = time.monotonic()
        visits = set()
        for number in range(int(rate * seconds)):
            due = begun + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            visit = asyncio.create_task(self.visit(due))
            visits.add(visit)
            visit.add_done_callback(visits.discard)
        await asyncio.gather(*visits)
        for _, writer in self.idle:
            writer.close()
        return time.monotonic() - begun

    def report(self, took: float) -> None:
        asked = sum(self.outcomes.values())
        slow = sum(
            count
            for outcome, count in self.outcomes.items()
            if outcome.endswith(" slow") and outcome.split()[1] < "400"
        )
        failed = asked - self.outcomes["ok"] - slow
        said = f"{failed} failed" + (f", {slow} took over {SLOW_S:.0f} s" if slow else "")
        print(f"{asked} requests in {took:.1f} s: {asked / took:.0f}/s, {said}")
        ordered = sorted(self.latencies)
        if ordered:
            at = {p: ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))] * 1000 for p in (50, 90, 99, 100)}
            print("latency ms: " + "  ".join(f"p{p} {ms:.1f}" for p, ms in at.items()))
        for outcome, count in self.outcomes.most_common():
            print(f"  {count:>7}  {outcome}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, default=50, help="requests a second (default 50)")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    shopper = Shopper(given.url, given.seed)
    shopper.report(asyncio.run(shopper.shop(given.rate, given.seconds)))


if __name__ == "__main__":
    main()
