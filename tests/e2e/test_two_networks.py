"""Two nodes, two networks: pods, Services over TCP and UDP, node ports, host ports, asked from pods of both nodes."""

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from madang.gateway.kernel import PLACES
from tests.e2e.conftest import Court, courtyard
from tests.free_ports import free_port

pytestmark = pytest.mark.e2e
PODS: dict[tuple[str, str], str] = {}  # uids
# An instance tells its name by HTTP and by UDP.
SERVE = """
import http.server, os, socket, threading
def echo():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", 8081))
    while True:
        s.sendto(os.uname().nodename.encode(), s.recvfrom(99)[1])
class Told(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        told = os.uname().nodename.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)
threading.Thread(target=echo, daemon=True).start()
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Told).serve_forever()
"""
# Asks each address in turn until all have told who they are, or time is up; a line each.
ASK = """
import json, socket, sys, urllib.request
for how, host, port in json.loads(sys.argv[1]):
    told = set()
    for _ in range(20):
        try:
            if how == "tcp":
                told.add(urllib.request.urlopen(f"http://{host}:{port}", timeout=3).read().decode())
            else:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                    s.settimeout(3)
                    s.connect((host, port))
                    s.send(b"x")
                    told.add(s.recv(99).decode())
        except OSError as error:
            told.add(type(error).__name__)
            break
    print(json.dumps(sorted(told)))
"""


def pod(name: str, node: str, *ports: dict[str, Any]) -> dict[str, Any]:
    container = {"name": "c", "image": "madang.dev/host", "command": ["python3", "-c", SERVE], "ports": list(ports)}
    probe = {"httpGet": {"port": 8080}}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "who"}},
        "spec": {"nodeName": node, "containers": [{**container, "readinessProbe": probe}]},
    }  # fmt: skip


PORTS = [
    {"name": "http", "port": 80, "targetPort": 8080},
    {"name": "echo", "port": 80, "targetPort": 8081, "protocol": "UDP"},
]


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    if shutil.which("nft", path=PLACES) is None:
        pytest.skip("UDP Services need nft (Debian: nftables)")
    root = tmp_path_factory.mktemp("court")
    with courtyard(root / "m") as made:
        made.run("up", "--detach", "--nodes", "2", cwd=root)
        if made.json("status")["machine"]["network"] != "bridge":
            pytest.skip("the network is loopback here")
        spec = {"type": "NodePort", "selector": {"app": "who"}, "ports": PORTS}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "who"}, "spec": spec}
        items = [service, pod("one", "node-1"), pod("two", "node-2")]
        made.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        made.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s")
        yield made


def asked(court: Court, pod: str, *places: tuple[str, str, int]) -> list[list[str]]:
    told = inside(court, pod, "python3", "-c", ASK, json.dumps(places))
    return [json.loads(line) for line in told.splitlines()]


def inside(court: Court, pod: str, *words: str) -> str:
    """In the pod's network; as root by the shorter way."""
    if os.geteuid():
        return court.kubectl("exec", pod, "--", *words)
    if (court.name, pod) not in PODS:
        PODS[court.name, pod] = of(court, "pod", pod)["metadata"]["uid"]
    uid = PODS[court.name, pod]
    [running] = (court.home / "pods" / uid).rglob("running.json")
    enter = ["nsenter", "-t", str(json.loads(running.read_text())["pid"]), "-n"]
    return subprocess.run([*enter, *words], check=True, capture_output=True, text=True, timeout=60).stdout


def of(court: Court, *words: str) -> Any:
    return json.loads(court.kubectl("get", *words, "-o", "json"))


def until(what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_everybody_reaches_everybody(court: Court) -> None:
    """Over both protocols: each pod by its address, all by the Service's and by each node's port; oneself too."""
    pods, service = of(court, "pods")["items"], of(court, "service", "who")["spec"]
    nodes = [n["status"]["addresses"][0]["address"] for n in of(court, "nodes")["items"]]
    assert {p["status"]["hostIP"] for p in pods} == set(nodes) and len(set(nodes)) == 2
    http, echo = (port["nodePort"] for port in service["ports"])
    direct = {p["metadata"]["name"]: p["status"]["podIP"] for p in pods}
    places = [("tcp", ip, 8080) for ip in direct.values()] + [("udp", ip, 8081) for ip in direct.values()]
    shared = [("tcp", service["clusterIP"], 80), ("udp", service["clusterIP"], 80)]
    shared += [("tcp", node, http) for node in nodes] + [("udp", node, echo) for node in nodes]
    until("UDP is not carried", lambda: asked(court, "one", shared[1]) == [["one", "two"]])
    for who in direct:
        assert asked(court, who, *places) == [[name] for name in direct] * 2
        assert asked(court, who, *shared) == [["one", "two"]] * len(shared)


def test_local_is_the_callers_node_inside_and_the_asked_one_outside(court: Court) -> None:
    local = {"internalTrafficPolicy": "Local", "externalTrafficPolicy": "Local"}
    court.kubectl("patch", "service", "who", "-p", json.dumps({"spec": local}))
    service, second = of(court, "service", "who")["spec"], of(court, "node", "node-2")["status"]["addresses"][0]
    places = [("tcp", service["clusterIP"], 80), ("udp", service["clusterIP"], 80)]
    places += [(how, second["address"], p["nodePort"]) for how, p in zip(("tcp", "udp"), service["ports"], strict=True)]
    until("it is led anywhere", lambda: asked(court, "one", *places) == [["one"], ["one"], ["two"], ["two"]])
    assert asked(court, "two", *places) == [["two"]] * 4
    court.kubectl("patch", "service", "who", "-p", json.dumps({"spec": dict.fromkeys(local, "Cluster")}))


def test_a_client_keeps_its_instance(court: Court) -> None:
    sticky = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}}}
    court.kubectl("patch", "service", "who", "-p", json.dumps({"spec": sticky}))
    ip = of(court, "service", "who")["spec"]["clusterIP"]
    until("it changes", lambda: [len(who) for who in asked(court, "one", ("tcp", ip, 80), ("udp", ip, 80))] == [1, 1])
    court.kubectl("patch", "service", "who", "-p", '{"spec": {"sessionAffinity": "None"}}')
    until("it stays", lambda: asked(court, "one", ("tcp", ip, 80), ("udp", ip, 80)) == [["one", "two"]] * 2)


def test_endpoints_tell_the_same_and_follow(court: Court) -> None:
    subsets = of(court, "endpoints", "who")["subsets"]
    assert {a["targetRef"]["name"] for s in subsets for a in s["addresses"]} == {"one", "two"}
    address = of(court, "pod", "two")["status"]["podIP"]
    hand = [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hand"}, "spec": {"ports": [{"port": 80}]}},
        {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "hand"},
         "subsets": [{"addresses": [{"ip": address}], "ports": [{"port": 8080}]}]},
    ]  # fmt: skip
    court.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": hand}))
    ip = of(court, "service", "hand")["spec"]["clusterIP"]
    until("it never led there", lambda: asked(court, "one", ("tcp", ip, 80)) == [["two"]])
    court.kubectl("delete", "service,endpoints", "hand")


def test_host_ports_lead_to_their_own_pod(court: Court) -> None:
    """One number three times on one node: other addresses, and another protocol, are other ports."""
    node = of(court, "node", "node-1")["status"]["addresses"][0]["address"]
    port = free_port()
    wanted = [("h1", 8080, "127.0.0.1", "TCP"), ("h2", 8080, node, "TCP"), ("h3", 8081, node, "UDP")]
    pods = [
        pod(name, "node-1", {"containerPort": own, "hostPort": port, "hostIP": ip, "protocol": protocol})
        for name, own, ip, protocol in wanted
    ]
    for one in pods:
        one["metadata"]["labels"] = {}
    court.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
    court.kubectl("wait", "--for=condition=Ready", "pod", *(name for name, *_ in wanted), "--timeout=60s")
    near = (("tcp", node, port), ("udp", node, port))
    until("they are not open", lambda: asked(court, "two", *near) == [["h2"], ["h3"]])

    assert urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=5).read() == b"h1"
