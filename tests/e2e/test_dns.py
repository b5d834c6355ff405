"""Names asked for by `dig` and the C library in a real pod, of a real courtyard on the bridge."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Court, courtyard
from tests.e2e.traces import control

pytestmark = pytest.mark.e2e
HOST = "madang.dev/host"


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def pod(name: str, node: str, **spec: Any) -> dict[str, Any]:
    serve = {"name": "c", "image": HOST, "command": ["python3", "-m", "http.server", "8000"]}
    serve["ports"] = [{"name": "http", "containerPort": 8000}]
    meta = {"name": name, "labels": {"app": "web"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"nodeName": node, "containers": [serve], **spec},
    }


PORTS = [{"name": "http", "port": 80, "targetPort": "http"}]
ITEMS = [
    service("web", selector={"app": "web"}, ports=PORTS),
    service("heads", selector={"app": "web"}, clusterIP="None", ports=PORTS),
    service("near", type="ExternalName", externalName="web.default.svc.cluster.local"),
    pod("one", "node-1", hostname="first", subdomain="heads"),
    pod("two", "node-2", dnsConfig={"options": [{"name": "ndots", "value": "2"}]}),
    pod("odd", "node-1", dnsPolicy="None", dnsConfig={"nameservers": ["192.0.2.1"], "searches": ["x.example"]}),
]


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    if not shutil.which("dig"):
        pytest.skip("asking needs dig (Debian: bind9-dnsutils)")
    root = tmp_path_factory.mktemp("court")
    with courtyard(root / "m") as made:
        made.run("up", "--detach", "--nodes", "2", cwd=root)
        able = {a["name"]: a for a in made.json("status")["machine"]["abilities"]}
        if not able.get("dns", {}).get("works"):
            pytest.skip(
                f"no DNS server here: {able.get('dns', able['bridge'])['why_not'] or 'the network is loopback'}"
            )
        made.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": ITEMS}))
        made.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s")
        deadline = time.monotonic() + 60
        while len(dig(made, "one", "heads.default.svc.cluster.local")) < 3:
            assert time.monotonic() < deadline, "the endpoints never came"
        yield made


def dig(court: Court, pod: str, *words: str) -> list[str]:
    return court.kubectl("exec", pod, "--", "dig", "+short", *words).splitlines()


def ip(court: Court, kind: str, name: str) -> str:
    path = "{.spec.clusterIP}" if kind == "svc" else "{.status.podIP}"
    return court.kubectl("get", kind, name, "-o", f"jsonpath={path}")


@pytest.mark.parametrize("asker", ["one", "two"])
@pytest.mark.parametrize("way", ["+notcp", "+tcp"])
def test_pods_of_all_nodes_ask_by_both_ways(court: Court, asker: str, way: str) -> None:
    web, one = ip(court, "svc", "web"), ip(court, "pod", "one")
    two, dashed = ip(court, "pod", "two"), ip(court, "pod", "two").replace(".", "-")
    assert dig(court, asker, way, "+search", "web") == [web]
    assert {one, two} < set(dig(court, asker, way, "heads.default.svc.cluster.local"))
    assert dig(court, asker, way, "first.heads.default.svc.cluster.local") == [one]
    assert f"0 100 8000 {dashed}.heads.default.svc.cluster.local." in dig(
        court, asker, way, "SRV", "_http._tcp.heads.default.svc.cluster.local"
    )
    assert dig(court, asker, way, "near.default.svc.cluster.local") == ["web.default.svc.cluster.local.", web]
    assert dig(court, asker, way, "-x", web) == ["web.default.svc.cluster.local."]
    assert dig(court, asker, way, f"{dashed}.default.pod.cluster.local") == [two]


def test_what_is_not_there_is_told_apart(court: Court) -> None:
    def status(*words: str) -> str:
        return court.kubectl("exec", "one", "--", "dig", "+noall", "+comments", "+authority", *words)

    assert "NXDOMAIN" in status("none.default.svc.cluster.local")
    empty = status("AAAA", "web.default.svc.cluster.local")
    assert "NOERROR" in empty and "ANSWER: 0" in empty and "SOA" in empty


def test_the_c_library_finds_what_no_hosts_file_has(court: Court) -> None:
    dashed = ip(court, "pod", "two").replace(".", "-")
    found = court.kubectl("exec", "one", "--", "getent", "ahostsv4", f"{dashed}.heads")
    assert found.split()[0] == ip(court, "pod", "two")


def test_policies_and_wishes(court: Court) -> None:
    def file(name: str) -> list[str]:
        return court.kubectl("exec", name, "--", "cat", "/etc/resolv.conf").splitlines()

    search = "search default.svc.cluster.local svc.cluster.local cluster.local"
    assert file("one")[1].startswith(search) and file("one")[2] == "options ndots:5"
    assert file("two")[0] == file("one")[0] and file("two")[2] == "options ndots:2"
    assert file("odd") == ["nameserver 192.0.2.1", "search x.example"]


def test_names_outlive_the_control_and_the_server_comes_back_with_it(court: Court) -> None:
    """Last in this file: the control is another one afterwards."""
    web, uid = ip(court, "svc", "web"), court.kubectl("get", "pod", "one", "-o", "jsonpath={.metadata.uid}")
    [running] = (court.home / "pods" / uid).rglob("running.json")
    inside = ["nsenter", "-t", str(json.loads(running.read_text())["pid"]), "-m", "-n"]
    os.kill(control(court.home), signal.SIGKILL)
    found = subprocess.run([*inside, "getent", "hosts", "web"], capture_output=True, text=True, check=True)
    assert found.stdout.split()[0] == web, "the hosts file knows"
    refused = subprocess.run([*inside, "dig", "+tries=1", "cluster.local"], capture_output=True, text=True, check=False)
    assert refused.returncode, "nobody answers meanwhile"
    court.run("up", "--detach", cwd=court.root)
    assert dig(court, "one", "web.default.svc.cluster.local") == [web]
