"""From a pod to a Service, against the same pod's direct connection: requests and bytes a second, and latency.

wrk runs in a pod; what answers is a HAProxy with one thread in another, which is quicker than any program behind a
Service is likely to be: what the way costs cannot hide behind it. Direct and by the Service take turns. Two Services
lead there: one whose port is declared as HTTP, and one that is plain TCP.
"""

import json
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

from bench.court import Court, courtyard, load, quiet
from bench.table import Measure, show
from madang.haproxy import binary
from madang.ports.program import HOST

ROUNDS, SECONDS = int(os.environ.get("BENCH_ROUNDS", "4")), 2
PORT, LARGE = 8000, 1 << 20
ORIGIN = f"""
global
    nbthread 1
    tune.bufsize {4 * LARGE}
defaults
    mode http
    timeout client 1h
frontend in
    bind :{PORT}
    http-request return status 200 content-type text/plain file "{{large}}" if {{{{ path /large }}}}
    http-request return status 200 content-type text/plain string "hello, world"
"""
SCALE = {"us": 0.001, "ms": 1.0, "s": 1000.0}
SIZES = {"B": 1e-6, "KB": 1e-3, "MB": 1.0, "GB": 1e3}


def objects(court: Court) -> list[tuple[str, dict[str, Any]]]:
    large, config = court.root / "large", court.root / "origin.cfg"
    large.write_bytes(b"x" * LARGE)
    config.write_text(ORIGIN.format(large=large))
    programs = {"origin": [str(binary.find()), "-db", "-q", "-f", str(config)], "client": ["sleep", "10000"]}
    made: list[tuple[str, dict[str, Any]]] = []
    for name, command in programs.items():
        spec = {"containers": [{"name": "main", "image": HOST, "command": command}], "terminationGracePeriodSeconds": 0}
        meta = {"name": name, "namespace": "default", "labels": {"app": name}}
        made.append(("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}))
    for name, protocol in (("http", "http"), ("tcp", "tcp")):
        port = {"port": PORT, "targetPort": PORT, "appProtocol": protocol}
        meta = {"name": name, "namespace": "default"}
        spec = {"selector": {"app": "origin"}, "ports": [port]}
        made.append(("services", {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}))
    return made


def told(court: Court, *path: str) -> str:
    return court.run("kubectl", "get", path[0], path[1], "-n", "default", "-o", f"jsonpath={{{path[2]}}}").strip()


def wrk(court: Court, url: str, connections: int) -> tuple[float, float, float]:
    """Requests a second, MB a second, median latency in ms."""
    quiet()
    words = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}", "--latency", url]
    said = court.run("kubectl", "exec", "-n", "default", "client", "--", *words)
    rate, size = re.search(r"Requests/sec: +([\d.]+)", said), re.search(r"Transfer/sec: +([\d.]+)(\w+)", said)
    half = re.search(r"50% +([\d.]+)(\w+)", said)
    if not (rate and size and half) or "Non-2xx" in said:
        raise RuntimeError(f"wrk {url}:\n{said}")
    return float(rate[1]), float(size[1]) * SIZES[size[2]], float(half[1]) * SCALE[half[2]]


def measured(court: Court, ways: dict[str, str]) -> list[Measure]:
    rates: dict[str, list[float]] = {way: [] for way in ways}
    bulk: dict[str, list[float]] = {way: [] for way in ways}
    late: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, url in ways.items():
            rates[way].append(wrk(court, url, 32)[0])
            bulk[way].append(wrk(court, f"{url}large", 4)[1])
            late[way].append(wrk(court, url, 1)[2])
    goal = {way: "" if way == "direct" else "within 5 % of direct" for way in ways}
    return [
        *(Measure(f"requests, 32 connections: {way}", rates[way], "/s", goal[way]) for way in ways),
        *(Measure(f"answers of 1 MiB, 4 connections: {way}", bulk[way], "MB/s", goal[way]) for way in ways),
        *(Measure(f"median latency, 1 connection: {way}", late[way], "ms", goal[way]) for way in ways),
    ]


def main() -> None:
    if shutil.which("wrk") is None:
        print("passage: not measured: no wrk here (Debian: apt-get install wrk)")
        return
    with courtyard() as court:
        court.run("up", "--detach")
        for kind, obj in objects(court):
            path = Path(court.root / f"{kind}-{obj['metadata']['name']}.json")
            path.write_text(json.dumps(obj))
            court.run("kubectl", "apply", "-f", str(path))
        court.run("kubectl", "wait", "--for=condition=Ready", "pod", "--all", "-n", "default", "--timeout=30s")
        time.sleep(2)
        ways = {"direct": f"http://{told(court, 'pod', 'origin', '.status.podIP')}:{PORT}/"}
        for name, words in (("http", "a Service, HTTP"), ("tcp", "a Service, TCP")):
            ways[words] = f"http://{told(court, 'service', name, '.spec.clusterIP')}:{PORT}/"
        measures = measured(court, ways)
    show(f"Pod to Service against direct ({load()})", measures)
