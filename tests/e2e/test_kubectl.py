"""What people type: the real kubectl, verb by verb, against one courtyard."""

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from madang.cli.kubectl import find_kubectl
from madang.cli.refusal import Refusal
from tests.e2e.conftest import Court
from tests.e2e.kubectl import WEB, Kubectl, hear, of, pod, written


def there_is_one() -> bool:
    try:
        return bool(find_kubectl())
    except Refusal:
        return False


pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not there_is_one(), reason="no kubectl on this machine")]


@pytest.fixture
def kubectl(shared_court: Court, request: pytest.FixtureRequest) -> Iterator[Kubectl]:
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))[:40].strip("-")
    with of(shared_court, name) as made:
        yield made


@pytest.fixture
def web(kubectl: Kubectl) -> Kubectl:
    """The namespace with a Deployment of two and its Service, ready."""
    said = kubectl("apply", "-f", "-", stdin=WEB)
    assert said.splitlines() == ["deployment.apps/web created", "service/web created"]
    kubectl("rollout", "status", "deployment/web", "--timeout=50s")
    return kubectl


def test_apply_again_and_get(web: Kubectl) -> None:
    assert web("apply", "-f", "-", stdin=WEB).splitlines() == ["deployment.apps/web unchanged", "service/web unchanged"]
    wide = web("get", "pods", "-o", "wide")
    assert wide.split()[:9] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED", "NODE"]
    assert wide.count("1/1") == 2 and wide.count("node-1") == 2
    assert web.one("deployment/web", "{.status.readyReplicas}/{.spec.replicas}") == "2/2"
    assert "kind: Deployment" in web("get", "deployment", "web", "-o", "yaml")
    assert web("get", "pods", "-l", "app=web", "-o", "name").count("pod/web-") == 2
    assert "No resources found" in web("get", "pods", "-l", "app=other", ok=False)
    assert web("get", "pods", "--field-selector=status.phase=Running", "-o", "name").count("pod/") == 2
    assert "pod-template-hash=" in web("get", "pods", "--show-labels")
    columns = web("get", "deployments", "-o", "custom-columns=N:.metadata.name,R:.spec.replicas", "--no-headers")
    assert columns.split() == ["web", "2"]
    everything = web("get", "all")
    assert all(f"{what}/web" in everything for what in ("pod", "service", "deployment.apps", "replicaset.apps"))
    assert web("get", "pods", "--chunk-size=1", "--sort-by=.metadata.name").count("Running") == 2


def test_describe_shows_events(web: Kubectl) -> None:
    deployment = web("describe", "deployment", "web")
    assert "Scaled up replica set web-" in deployment and "NewReplicaSetAvailable" in deployment
    said = web("describe", web("get", "pods", "-o", "name").split()[0])  # of several it shows no events
    for reason in ("Scheduled", "Pulled", "Created", "Started"):
        assert re.search(rf"Normal\s+{reason}\s", said), f"{reason} is not among the events of\n{said}"
    assert "Successfully assigned" in said
    assert re.search(r"Endpoints:\s+\S+:\d+,\S+:\d+", web("describe", "service", "web"))
    assert "Allocated resources" in web("describe", "node", "node-1")
    assert "ScalingReplicaSet" in web("events", "--for", "deployment/web")
    assert "SuccessfulCreate" in web("get", "events", "--sort-by=.lastTimestamp")


def test_get_watches(kubectl: Kubectl) -> None:
    with kubectl.going_on("get", "configmaps", "--watch", "--output-watch-events") as watching:
        hear(watching, "kube-root-ca.crt")
        kubectl("create", "configmap", "seen", "--from-literal=a=b")
        kubectl("label", "configmap", "seen", "x=y")
        kubectl("delete", "configmap", "seen")
        said = hear(watching, "DELETED")
    words = [line.split()[0] for line in said.splitlines() if "seen" in line]
    assert words == ["ADDED", "MODIFIED", "DELETED"]


def test_logs_follow_to_the_end(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=pod("talks", "for i in 1 2 3; do echo line $i; sleep 0.3; done"))
    kubectl("wait", "--for=condition=PodScheduled", "pod/talks", "--timeout=30s")
    kubectl.until("line", "logs", "talks")
    assert kubectl("logs", "-f", "talks") == "line 1\nline 2\nline 3\n"
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/talks", "--timeout=30s")
    assert kubectl("logs", "talks", "--tail=1") == "line 3\n"
    assert re.match(r"\d{4}-\d\d-\d\dT\S+Z line 1\n", kubectl("logs", "talks", "--timestamps", "--since=1h"))
    assert kubectl("logs", "-l", "app=talks", "--prefix", "--tail=1") == "[pod/talks/main] line 3\n"
    assert "not found" in kubectl("logs", "nobody", ok=False)


def test_scale_and_rollouts(web: Kubectl) -> None:
    web("scale", "deployment/web", "--replicas=3")
    web("wait", "--for=jsonpath={.status.readyReplicas}=3", "deployment/web", "--timeout=50s")
    assert web("get", "deployment", "web", "--subresource=scale").split()[:4] == ["NAME", "DESIRED", "AVAILABLE", "AGE"]
    web("scale", "deployment/web", "--replicas=1", "--current-replicas=3")
    web("rollout", "status", "deployment/web", "--timeout=50s")
    web("set", "env", "deployment/web", "COLOR=blue")
    web("annotate", "deployment/web", "kubernetes.io/change-cause=blue now")
    assert "successfully rolled out" in web("rollout", "status", "deployment/web", "--timeout=50s")
    web.until("blue now", "rollout", "history", "deployment/web")
    assert "COLOR:\tblue" in web("rollout", "history", "deployment/web", "--revision=2")
    web("rollout", "restart", "deployment/web")
    web("rollout", "status", "deployment/web", "--timeout=50s")
    web("rollout", "undo", "deployment/web", "--to-revision=1")
    web("rollout", "status", "deployment/web", "--timeout=50s")
    assert "COLOR" not in web("get", "deployment", "web", "-o", "yaml").split("\nspec:")[1]
    web("rollout", "pause", "deployment/web")
    assert "paused" in web("rollout", "pause", "deployment/web", ok=False)
    web("rollout", "resume", "deployment/web")


def test_an_image_that_is_not_there_is_undone(web: Kubectl) -> None:
    web("set", "image", "deployment/web", "main=madang.dev/nothing:1")
    web.until("ErrImagePull", "events", "--types=Warning")
    assert web.one("deployment/web", "{.status.availableReplicas}") == "2"
    web("rollout", "undo", "deployment/web")
    web("rollout", "status", "deployment/web", "--timeout=50s")
    assert web.one("deployment/web", "{.spec.template.spec.containers[0].image}") == "madang.dev/host"


def test_patch_label_annotate_and_edit(kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl("create", "deployment", "d", "--image=madang.dev/host", "--replicas=0", "--", "sleep", "100")
    kubectl("patch", "deployment", "d", "-p", '{"spec":{"minReadySeconds":1}}')
    kubectl("patch", "deployment", "d", "--type=merge", "-p", '{"spec":{"paused":true}}')
    kubectl("patch", "deployment", "d", "--type=json", "-p", '[{"op":"replace","path":"/spec/paused","value":false}]')
    kubectl("label", "deployment", "d", "tier=front")
    assert "--overwrite is false" in kubectl("label", "deployment", "d", "tier=back", ok=False)
    kubectl("label", "deployment", "d", "tier=back", "--overwrite")
    kubectl("annotate", "deployment", "d", "note=one")
    kubectl("annotate", "deployment", "d", "note-")
    monkeypatch.setenv("EDITOR", "sed -i s/minReadySeconds:.1/minReadySeconds:\\ 2/")
    kubectl("edit", "deployment", "d")
    assert kubectl.one("deployment/d", "{.spec.minReadySeconds} {.metadata.labels.tier}") == "2 back"
    assert "note" not in kubectl.one("deployment/d", "{.metadata.annotations}")
    assert kubectl("get", "deployments", "-l", "tier in (back)", "-o", "name") == "deployment.apps/d\n"


def test_wait_and_delete(web: Kubectl, tmp_path: Path) -> None:
    web("wait", "--for=condition=Available", "deployment/web", "--timeout=50s")
    web("wait", "--for=condition=Ready", "pods", "--all", "--timeout=50s")
    assert "timed out" in web("wait", "--for=condition=Odd", "deployment/web", "--timeout=1s", ok=False)
    said = web("delete", "-f", written(tmp_path, "web.yaml", WEB))
    assert said.count("deleted") == 2
    web("wait", "--for=delete", "pods", "-l", "app=web", "--timeout=50s")
    assert "NotFound" in web("get", "deployment", "web", ok=False)
    web("create", "configmap", "one")
    web("delete", "configmap", "one", "--dry-run=server")
    assert web("delete", "configmaps", "--all", "--wait=false").count("deleted") == 2
    web.until("kube-root-ca.crt", "get", "configmaps")  # every namespace has it, always


def test_top(web: Kubectl) -> None:
    web.until("web-", "top", "pods")
    assert re.search(r"web-\S+\s+main\s+\d+m\s+\d+Mi", web("top", "pods", "--containers"))
    web.until("node-1", "top", "nodes")


def test_exec_and_copy(web: Kubectl, tmp_path: Path) -> None:
    name = web("get", "pods", "-o", "name").split()[0]
    assert web("exec", name, "--", "sh", "-c", "hostname") == name.removeprefix("pod/") + "\n"
    assert web("exec", "-i", "deployment/web", "--", "cat", stdin="through\n") == "through\n"
    assert "exit code 3" in web("exec", name, "--", "sh", "-c", "exit 3", ok=False)
    folder = web("exec", name, "--", "pwd").strip()
    text = "copied\n" * 20_000
    there = f"{name.removeprefix('pod/')}:{folder.rstrip('/')}/copied-{web.namespace}.txt"
    web("cp", written(tmp_path, "out.txt", text), there)
    web("cp", there, str(tmp_path / "back.txt"))
    assert (tmp_path / "back.txt").read_text() == text
    web("exec", name, "--", "rm", there.partition(":")[2])


def test_a_container_that_has_ended_beside_one_that_runs(kubectl: Kubectl) -> None:
    beside = "  - {name: short, image: madang.dev/host, command: [sh, -c, 'echo short one']}\n"
    kubectl("apply", "-f", "-", stdin=pod("two", "sleep 1000") + beside)
    path = "{.status.containerStatuses[?(@.name=='short')].state.terminated.reason}"
    kubectl("wait", f"--for=jsonpath={path}=Completed", "pod/two", "--timeout=30s")
    assert 'container not found ("short")' in kubectl("exec", "two", "-c", "short", "--", "true", ok=False)
    assert "container nope is not valid for pod two" in kubectl("logs", "two", "-c", "nope", ok=False)
    assert kubectl("logs", "two", "--all-containers", "--prefix") == "[pod/two/short] short one\n"
    assert re.search(r"two\s+1/2\s+NotReady", kubectl("get", "pod", "two"))


def test_streams_by_spdy_as_older_clients_ask(web: Kubectl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "false")
    monkeypatch.setenv("KUBECTL_PORT_FORWARD_WEBSOCKETS", "false")
    assert web("exec", "-i", "deployment/web", "--", "cat", stdin="through\n" * 10_000) == "through\n" * 10_000
    assert "exit code 3" in web("exec", "deployment/web", "--", "sh", "-c", "exit 3", ok=False)
    assert "not found" in web("exec", "nobody", "--", "true", ok=False)
    fetched(web, "service/web", "80")


@pytest.mark.parametrize("target", ["service/web", "deployment/web"])
def test_port_forward(web: Kubectl, target: str) -> None:
    fetched(web, target, "80" if target.startswith("service") else "8000")


def fetched(web: Kubectl, target: str, port: str) -> None:
    """A page, three times, through a forwarded port."""
    with web.going_on("port-forward", target, f":{port}") as forwarding:
        found = re.search(r"127\.0\.0\.1:(\d+) ->", hear(forwarding, "Forwarding from 127.0.0.1:"))
        assert found
        for _ in range(3):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{found[1]}/", timeout=10) as answer:
                    assert answer.status == 200 and answer.read()
            except OSError as fault:
                raise AssertionError(f"{fault}; kubectl: {hear(forwarding, 'orwarding')}") from fault


def test_diff_and_server_side_apply(web: Kubectl, tmp_path: Path) -> None:
    four = written(tmp_path, "four.yaml", WEB.replace("replicas: 2", "replicas: 4"))
    assert "+  replicas: 4" in web("diff", "-f", four, ok=False)
    web("scale", "deployment/web", "--replicas=1")
    refused = web("apply", "--server-side", "-f", four, ok=False)
    assert 'conflict with "kubectl" with subresource "scale"' in refused and ".spec.replicas" in refused
    web("apply", "--server-side", "--force-conflicts", "-f", four)
    assert web.one("deployment/web", "{.spec.replicas}") == "4"
    managed = web("get", "deployment", "web", "-o", "yaml", "--show-managed-fields")
    assert "manager: kubectl\n" in managed and "operation: Apply" in managed
    assert "subresource: status" in managed and "manager: kube-controller-manager" in managed


def test_run_expose_autoscale(web: Kubectl) -> None:
    said = web("run", "once", "--rm", "-i", "--restart=Never", "--image=madang.dev/host", "--command", "--",
               "sh", "-c", "echo from once", ok=False)  # fmt: skip
    assert "from once\n" in said and 'pod "once" deleted' in said
    web("expose", "deployment", "web", "--name=front", "--port=80", "--target-port=8000")
    assert web.one("service/front", "{.spec.selector.app} {.spec.ports[0].targetPort}") == "web 8000"
    web("autoscale", "deployment", "web", "--min=1", "--max=3", "--cpu-percent=50")
    web.until("%/50%", "get", "hpa")
    assert "ScalingActive" in web("describe", "hpa", "web")
    web("create", "job", "j", "--image=madang.dev/host", "--", "sh", "-c", "echo worked")
    web("wait", "--for=condition=complete", "job/j", "--timeout=50s")
    assert web("logs", "job/j") == "worked\n"


def test_drain_moves_pods_away_and_uncordon_lets_them_back(web: Kubectl) -> None:
    try:
        assert "node/node-1 drained" in web("drain", "node-1", "--timeout=50s", "--pod-selector=app=web")
        web.until("SchedulingDisabled", "get", "node", "node-1")
        web.until("node(s) were unschedulable", "events", "--types=Warning")
    finally:
        web("uncordon", "node-1")
    web("rollout", "status", "deployment/web", "--timeout=50s")


def test_what_there_is(kubectl: Kubectl) -> None:
    resources = kubectl("api-resources")
    for short in ("po", "svc", "deploy", "rs", "hpa", "cm", "ns", "no", "sa", "ev"):
        assert re.search(rf"^\S+\s+{short}\s", resources, re.MULTILINE), f"no short name {short}"
    assert {"v1", "apps/v1", "autoscaling/v2", "batch/v1"} <= set(kubectl("api-versions").split())
    assert "resources\t<ResourceRequirements>" in kubectl("explain", "pod.spec.containers")
    assert "limits\t<map[string]Quantity>" in kubectl("explain", "pod.spec.containers.resources")
    assert "maxSurge\t<IntOrString>" in kubectl("explain", "deployment.spec.strategy", "--recursive")
    assert kubectl("auth", "can-i", "create", "pods") == "yes\n"
    assert "system:admin" in kubectl("auth", "whoami")
    assert re.search(r"bob\nGroups\s+\[dev ", kubectl("auth", "whoami", "--as=bob", "--as-group=dev"))
    assert "control plane" in kubectl("cluster-info") and "is running at" in kubectl("cluster-info")
    assert "Server Version: v1.36" in kubectl("version")
    assert kubectl("get", "--raw", "/readyz") == "ok"
    assert "doesn't have a resource type" in kubectl("get", "unicorns", ok=False)


def test_a_list_is_applied_item_by_item(kubectl: Kubectl) -> None:
    one = "- {apiVersion: v1, kind: ConfigMap, metadata: {name: %s}, data: {a: b}}\n"
    text = "apiVersion: v1\nkind: List\nitems:\n" + one % "first" + one % "second"
    assert kubectl("apply", "-f", "-", stdin=text) == "configmap/first created\nconfigmap/second created\n"
    refused = kubectl("apply", "-f", "-", ok=False, stdin=text.replace("data:", "dota:"))
    assert 'unknown field "dota" in io.k8s.api.core.v1.ConfigMap' in refused
    saved = kubectl("get", "configmaps", "first", "second", "-o", "yaml")
    assert kubectl("apply", "-f", "-", stdin=saved).count("configured") == 2  # by their own revisions


def test_what_is_wrong_is_said(kubectl: Kubectl) -> None:
    assert 'unknown field "spec.odd"' in kubectl("apply", "-f", "-", ok=False, stdin=pod("p", "true") + "  odd: 1\n")
    bad = pod("p", "true") + "    ports: [{containerPort: 99999}]\n"
    words = "spec.containers[0].ports[0].containerPort: Invalid value: 99999: must be between 1 and 65535, inclusive"
    assert words in kubectl("apply", "-f", "-", ok=False, stdin=bad)
    assert "AlreadyExists" in kubectl("create", "namespace", kubectl.namespace, ok=False)
