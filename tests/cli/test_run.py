"""The pod of `madang run`: the service's own, with another command, out of every rotation."""

from madang.cli.run import one_off


def test_no_probes_no_labels_no_gates() -> None:
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "schedulingGates": [{"name": "madang.dev/depends-on"}],
            "containers": [
                {"name": "web", "image": "i", "env": [{"name": "A", "value": "1"}], "readinessProbe": {}, "args": ["x"]}
            ],
        },
    }
    pod = one_off(template, "web", "shop", ["python", "-m", "migrate"])
    assert pod["metadata"]["labels"] == {"madang.dev/run-of": "web"}
    assert pod["spec"]["restartPolicy"] == "Never" and "schedulingGates" not in pod["spec"]
    (container,) = pod["spec"]["containers"]
    assert container["command"] == ["python", "-m", "migrate"] and container["args"] == []
    assert container["env"] == [{"name": "A", "value": "1"}] and "readinessProbe" not in container
    assert template["spec"]["containers"][0]["readinessProbe"] == {}, "the template itself must stay as it is"
