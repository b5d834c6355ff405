"""What Kubernetes' own suite asks of a node, in a real courtyard: containers as its pods want them, reached as its
framework reaches them. Which of its tests hold stands in docs/conformance.md."""

import json
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from websockets.sync.client import connect

from tests.e2e.conftest import Court, courtyard
from tests.e2e.images import TINY, bring
from tests.e2e.test_containers import record, until

pytestmark = pytest.mark.e2e
ROOT = "/api/v1/namespaces/default"


class Api:
    """The courtyard's API, asked without a client: a test of a second cannot wait for kubectl twenty times."""

    def __init__(self, court: Court) -> None:
        config = yaml.safe_load((court.home / "kubeconfig").read_text())
        self._server: str = config["clusters"][0]["cluster"]["server"]
        self._headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        self._tls = ssl._create_unverified_context()

    def __call__(self, method: str, path: str, body: Any = None, media: str = "application/json") -> bytes:
        """Below the namespace, unless the path is a whole one; also what a refusal says."""
        data = None if body is None else json.dumps(body).encode()
        headers = {**self._headers, "Content-Type": media}
        place = path if path.startswith("/") else f"{ROOT}/{path}"
        asked = urllib.request.Request(self._server + place, data, headers, method=method)
        try:
            with urllib.request.urlopen(asked, context=self._tls, timeout=30) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as refusal:
            return bytes(refusal.read())

    def patch(self, path: str, body: Any) -> None:
        self("PATCH", path, body, "application/strategic-merge-patch+json")

    def pods(self, *objects: dict[str, Any]) -> None:
        for one in objects:
            self("POST", "pods", one)

    def status(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self("GET", f"pods/{name}"))["status"]
        return found

    def first(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = (self.status(name).get("containerStatuses") or [{"state": {}}])[0]
        return found

    def ran(self, name: str) -> str:
        until(lambda: self.first(name)["state"].get("terminated"), f"{name} has ended")
        return self("GET", f"pods/{name}/log").decode()

    def spoken(self, path: str, protocol: str) -> list[bytes]:
        """Over a WebSocket: what has more than a channel."""
        with connect(
            f"{self._server.replace('https', 'wss')}{ROOT}/{path}",
            ssl=self._tls,
            subprotocols=[protocol],  # type: ignore[list-item]
            additional_headers=self._headers,
            compression=None,
        ) as socket:
            return [message for message in socket if isinstance(message, bytes) and len(message) > 1]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    root = tmp_path_factory.mktemp("court")
    if not (shutil.which("runc") or shutil.which("crun")):
        pytest.skip("containers need runc or crun")
    with courtyard(root / "m") as made:
        bring(made.home, root, Entrypoint=["sh", "-c"])
        made.run("up", "--detach", cwd=root)
        able = {a["name"]: a for a in record(made)["machine"]["abilities"]}["container"]
        if not able["works"]:
            pytest.skip(f"containers do not work here: {able['why_not']}")
        yield Api(made)


def sh(text: str, name: str = "c", **more: Any) -> dict[str, Any]:
    return {"name": name, "image": TINY, "args": [text], **more}


def pod(name: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    body = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": list(containers), **spec}
    return {"metadata": {"name": name}, "spec": body}


def test_files_variables_and_last_words(api: Api) -> None:
    kind = {"metadata": {"name": "vm"}, "handler": "micro-vm"}
    api("POST", "/apis/node.k8s.io/v1/runtimeclasses", kind)
    api("POST", "configmaps", {"metadata": {"name": "cm"}, "data": {"data-1": "one", "2data": "two"}})
    source = [{"configMapRef": {"name": "cm"}}, {"prefix": "p 1#", "configMapRef": {"name": "cm"}}]
    words = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    path = {"terminationMessagePath": "/dev/said", "securityContext": {"runAsUser": 10000}}
    machines = [{"name": "h", "hostPath": {"path": "/etc/hosts", "type": "File"}}]
    mounted = {"volumeMounts": [{"name": "h", "mountPath": "/etc/hosts"}]}
    aliases = [{"ip": "123.45.67.89", "hostnames": ["foo", "bar"]}]
    api.pods(
        pod("env", {"name": "c", "image": TINY, "command": ["env"], "envFrom": source}),
        pod("hosts", sh("cat /etc/hosts"), hostAliases=aliases),
        pod("own", sh("cat /etc/hosts", **mounted), volumes=machines),
        pod("machines", sh("cat /etc/hosts"), hostNetwork=True),
        pod("words", sh("printf DONE; exit 1", **words)),
        pod("path", sh("printf SAID > /dev/said", **path)),
        pod("unsafe", sh("true"), securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "65536"}]}),
        pod("elsewhere", sh("true"), runtimeClassName="vm"),
    )
    refused = until(lambda: (found := api.status("unsafe"))["phase"] == "Failed" and found, "it has failed unstarted")
    assert refused["reason"] == "SysctlForbidden"
    why = until(lambda: api.first("elsewhere")["state"].get("waiting", {}).get("message"), "refused by its runtime")
    assert why.startswith('runtime "vm" does not work on this machine')
    said = api.ran("env")
    assert all(line in said for line in ("data-1=one\n", "2data=two\n", "p 1#data-1=one\n"))
    hosts = api.ran("hosts")
    assert hosts.startswith("# Kubernetes-managed hosts file.\n") and "\n123.45.67.89\tfoo\tbar\n" in hosts
    for name in ("own", "machines"):
        assert not api.ran(name).startswith("# Kubernetes-managed hosts file.\n")
    for name, message in (("words", "DONE"), ("path", "SAID")):
        api.ran(name)
        assert api.first(name)["state"]["terminated"]["message"] == message


def test_what_changes_while_a_pod_lives(api: Api) -> None:
    env = [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['place']"}}}]
    mounts = [{"name": "v", "mountPath": "/s", "subPathExpr": "$(A)/x"}, {"name": "l", "mountPath": "/l"}]
    labels = {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}
    volumes = [{"name": "v", "emptyDir": {}}, {"name": "l", "downwardAPI": labels}]
    probe = {"exec": {"command": ["true"]}, "initialDelaySeconds": 2, "periodSeconds": 1}
    stay = "trap 'exit 3' TERM; while :; do sleep 0.05; done"
    api.pods(
        pod("late", sh(stay, env=env, volumeMounts=mounts), volumes=volumes),
        pod("slow", sh(stay, readinessProbe=probe)),
    )
    until(
        lambda: api.first("late")["state"].get("waiting", {}).get("reason") == "CreateContainerConfigError", "refused"
    )
    api.patch("pods/late", {"metadata": {"annotations": {"place": "here"}}})
    until(lambda: "running" in api.first("late")["state"], "it runs where its annotation says")
    api.patch("pods/late", {"metadata": {"labels": {"colour": "blue"}}})
    shown = "pods/late/exec?container=c&command=cat&command=/l/labels&stdout=1"
    until(lambda: b'\x01colour="blue"' in api.spoken(shown, "channel.k8s.io"), "its files show the new label")
    api.patch("pods/late", {"spec": {"containers": [{"name": "c", "image": f"docker.io/library/{TINY}"}]}})
    until(
        lambda: (found := api.first("late"))["restartCount"] == 1 and found["ready"], "replaced, never mind the policy"
    )
    assert api.first("late")["lastState"]["terminated"]["exitCode"] == 3
    until(lambda: api.first("slow")["ready"], "ready after its delay")
    since = api.first("slow")["state"]["running"]["startedAt"]
    ready = next(c["lastTransitionTime"] for c in api.status("slow")["conditions"] if c["type"] == "Ready")
    assert (int(ready[-3:-1]) - int(since[-3:-1])) % 60 in (2, 3, 4)


def test_reached_through_the_api_and_in_the_protocols_of_its_framework(api: Api) -> None:
    serve = sh("mkdir /w; echo '<a href=\"/x\">' > /w/index.html; echo here; httpd -f -p 8080 -h /w")
    ports = [{"name": "web", "port": 80, "targetPort": 8080}]
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [serve], "terminationGracePeriodSeconds": 0},
    }
    api("POST", "services", {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": ports}})
    api("POST", "replicationcontrollers", {"metadata": {"name": "web"}, "spec": {"template": template}})
    kept = "pods?labelSelector=app%3Dweb"
    until(lambda: b'"readyReplicas":1' in api("GET", "replicationcontrollers/web"), "one is kept")
    (made,) = json.loads(api("GET", kept))["items"]
    at = f"pods/{made['metadata']['name']}"
    page = f'<a href="{ROOT}/{at}:8080/proxy/x">\n'.encode()
    until(lambda: api("GET", f"{at}:8080/proxy/") == page, "the page, its link rewritten")
    until(lambda: b"/services/http:web:web/proxy/x" in api("GET", "services/http:web:web/proxy/"), "by its Service")
    said = api.spoken(f"{at}/exec?container=c&command=echo&command=hello&stdout=1", "channel.k8s.io")
    assert said == [b"\x01hello\n"]
    assert b"".join(api.spoken(f"{at}/log?container=c", "binary.k8s.io")) == b"here\n"
    api.patch("replicationcontrollers/web/scale", {"spec": {"replicas": 0}})
    until(lambda: not json.loads(api("GET", kept))["items"], "none is kept")
