"""What the house weighs and uses: memory of its processes with the shop running, and CPU over an idle minute."""

import time

from bench.court import SHOP, courtyard, cpu_s, load, memory_mb
from bench.table import Measure, show

SETTLE_S, WATCH_S = 20, 60
HOUSE = ("control", "HAProxy", "keeper", "zygote")


def main() -> None:
    with courtyard() as court:
        court.run("up", "--detach")
        time.sleep(SETTLE_S / 2)
        nothing = used(court.processes())
        court.run("up", "--detach", str(SHOP))
        time.sleep(SETTLE_S)
        found = court.processes()
        share = used(found)
        weights = {kind: [memory_mb(pid) for pid in pids] for kind, pids in found.items()}
    measures = []
    for word, at in (("RSS", 0), ("PSS", 1)):
        for kind, each in weights.items():
            measures.append(Measure(f"{word}: {kind} ({len(each)})", [sum(w[at] for w in each)], "MB"))
        house = sum(w[at] for kind in HOUSE for w in weights.get(kind, ()))
        goal, peer = ("120 MB", "496 MB") if word == "RSS" else ("", "")
        measures.append(Measure(f"{word}: the house (all but the monitors)", [house], "MB", goal, peer))
    for what, cpu in (("nothing", nothing), ("the shop", share)):
        for kind, percent in cpu.items():
            measures.append(Measure(f"idle CPU, {what} running: {kind}", [percent], "%"))
        both = cpu.get("control", 0.0) + cpu.get("HAProxy", 0.0)
        measures.append(Measure(f"idle CPU, {what} running: control and HAProxy", [both], "%", "0.5 %", "2 %"))
    show(f"Weight, and {WATCH_S} s of rest ({load()})", measures)


def used(found: dict[str, list[int]]) -> dict[str, float]:
    """Percent of one core, by kind, over the next minute."""
    before = {kind: sum(map(cpu_s, pids)) for kind, pids in found.items()}
    time.sleep(WATCH_S)
    return {kind: (sum(map(cpu_s, pids)) - before[kind]) / WATCH_S * 100 for kind, pids in found.items()}
