"""Kubernetes manifests as an application."""

from pathlib import Path

import pytest

from madang import app

TWO = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {a: b}}
spec: {}
---
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Namespace, metadata: {name: n}}
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: n}}
"""


def load(folder: Path, **files: str) -> app.Application:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return app.load([folder], app.LoadOptions())


def test_documents_and_lists_in_the_order_of_their_kinds(tmp_path: Path) -> None:
    made = load(tmp_path, a=TWO)
    assert [(o["kind"], o["metadata"].get("namespace")) for o in made.objects] == [
        ("Namespace", None), ("ConfigMap", "n"), ("Deployment", "default")
    ]  # fmt: skip
    assert made.services == ["web"] and made.namespace == "default"
    labels = made.objects[2]["metadata"]["labels"]
    assert labels["a"] == "b" and labels["madang.dev/project"].startswith(f"{made.name}-")


def test_every_fault_with_its_place(tmp_path: Path) -> None:
    wrong = """
apiVersion: apps/v1
kind: Deploymnt
metadata: {name: a}
---
apiVersion: extensions/v1beta1
kind: Deployment
metadata: {name: a}
---
kind: Pod
---
apiVersion: v1
kind: Pod
---
apiVersion: v1
kind: Pod
metadata: {name: a}
---
apiVersion: v1
kind: Pod
metadata: {name: a}
---
apiVersion: example.org/v1
kind: Zoo
metadata: {name: z}
"""
    with pytest.raises(app.ApplicationError) as caught:
        load(tmp_path, a=wrong)
    at = tmp_path / "a.yaml"
    assert caught.value.messages == [
        f"{at}:2: no such kind here: apps/v1 Deploymnt; did you mean Deployment?",
        f"{at}:6: no such kind here: extensions/v1beta1 Deployment; Deployment is served as apps/v1",
        f"{at}:10: apiVersion: is required, so that one knows what the object is",
        f"{at}:12: Pod: metadata.name: is required",
        f"{at}:19: Pod a stands in {at}:15 already",
        f"{at}:23: no such kind here: example.org/v1 Zoo; docs/compatibility.md lists those that are, "
        "`madang kubectl api-resources` too: leave it out",
    ]


def test_pods_that_are_to_be_programs_say_so(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(TWO.replace("spec: {}", "spec: {template: {spec: {}}}"))
    objects = app.load([tmp_path], app.LoadOptions(runtime="host")).objects
    template = next(o for o in objects if o["kind"] == "Deployment")["spec"]["template"]
    assert template == {"spec": {}, "metadata": {"annotations": {"madang.dev/runtime": "host"}}}
