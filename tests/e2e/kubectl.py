"""The real kubectl against a courtyard, in a namespace of its own.

In: a Court. Out: what kubectl printed; whatever is started and goes on (a watch, a forwarded port) is ended.
"""

import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from madang.cli.kubectl import find_kubectl
from tests.e2e.conftest import Court

PATIENCE_S = 60.0

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
      - name: main
        image: madang.dev/host
        command: [sh, -c, 'echo serving; exec python3 -u -m http.server 8000 --bind "${HOST:-0.0.0.0}"']
        ports: [{containerPort: 8000}]
        resources: {requests: {cpu: 50m, memory: 32Mi}}
        readinessProbe: {httpGet: {path: /, port: 8000}}
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8000}]
"""


@dataclass
class Kubectl:
    court: Court
    namespace: str
    program: str

    @property
    def env(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k != "KUBECONFIG"}
        return {**kept, "KUBECONFIG": str(self.court.home / "kubeconfig"), "TERM": "dumb"}

    def words(self, *words: str) -> list[str]:
        return [self.program, "--namespace", self.namespace, *words]

    def __call__(self, *words: str, ok: bool = True, stdin: str = "") -> str:
        """What it printed; with `ok=False` it may fail, and its errors are in the text."""
        done = subprocess.run(
            self.words(*words), env=self.env, input=stdin, capture_output=True, text=True,
            timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        if not ok:
            return done.stdout + done.stderr
        assert done.returncode == 0, f"kubectl {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def until(self, wanted: str, *words: str) -> str:
        """Asks again until the answer holds `wanted`."""
        end, said = time.monotonic() + PATIENCE_S, ""
        while time.monotonic() < end:
            said = self(*words, ok=False)
            if wanted in said:
                return said
            time.sleep(0.2)
        raise AssertionError(f"kubectl {' '.join(words)}: no {wanted!r} in\n{said}")

    def one(self, what: str, path: str, *words: str) -> str:
        return self("get", what, *words, "-o", f"jsonpath={path}")

    @contextmanager
    def going_on(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(
            self.words(*words), env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_S)


def hear(process: subprocess.Popen[bytes], *wanted: str) -> str:
    """What it prints until all of `wanted` has been said."""
    assert process.stdout is not None
    end, said, number = time.monotonic() + PATIENCE_S, "", process.stdout.fileno()
    while not all(word in said for word in wanted):
        left = end - time.monotonic()
        if left <= 0 or not select.select([number], [], [], left)[0]:
            raise AssertionError(f"no {wanted!r} in\n{said}")
        piece = os.read(number, 65536)
        if not piece:
            raise AssertionError(f"ended without {wanted!r}:\n{said}")
        said += piece.decode("utf-8", "replace")
    return said


@contextmanager
def of(court: Court, namespace: str) -> Iterator[Kubectl]:
    kubectl = Kubectl(court, namespace, find_kubectl())
    kubectl("create", "namespace", namespace)
    try:
        yield kubectl
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false", ok=False)


def pod(name: str, script: str) -> str:
    """A pod that runs a line of shell once."""
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: madang.dev/host
    command: [sh, -c, {script!r}]
"""


def written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)
