"""What becomes of pods, state by state, as a watch shows it: the sequences that a kubelet produces.

A state is one line: phase, the conditions that hold (Sandbox, Initialized, Ready) and each container as
NAME:state/restarts, with `+` where it is ready.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from madang.node.probes.result import Result
from madang.ports.objects import Obj
from tests.node.make_believe import Script
from tests.node.small_house import IMAGE, SmallHouse, small_house
from tests.node.virtual import run

LETTERS = {"PodReadyToStartContainers": "S", "Initialized": "I", "Ready": "R"}
BEGIN = ["Pending", "Pending I c:ContainerCreating/0", "Pending SI c:ContainerCreating/0"]
PULLED = (f'Container image "{IMAGE}" already present on machine and can be accessed by the pod', "Container created")


def container(text: str = "run", **more: Any) -> Obj:
    return {"name": "c", "image": IMAGE, "command": ["/bin/sh", "-c", text], **more}


def line(status: Obj) -> str:
    held = "".join(
        LETTERS[c["type"]] for c in status.get("conditions", []) if c["status"] == "True" and c["type"] in LETTERS
    )
    parts = [status.get("phase", "Pending"), held]
    for kind in ("initContainerStatuses", "containerStatuses"):
        parts += [_container(c) for c in status.get(kind) or ()]
    return " ".join(p for p in parts if p)


def _container(c: Obj) -> str:
    name, body = next(iter(c["state"].items()))
    shown = {"running": "running", "terminated": f"exit{body.get('exitCode')}"}.get(name) or body["reason"]
    return f"{c['name']}:{shown}/{c['restartCount']}{'+' if c['ready'] else ''}"


def lines(house: SmallHouse) -> list[str]:
    shown: list[str] = []
    for state in house.states:
        text = "gone" if state["type"] == "DELETED" else line(state["status"])
        if not shown or shown[-1] != text:
            shown.append(text)
    return shown


def told(
    home: Path, spec: Obj, programs: Any, seconds: float, delete_after: float = 0, answer: Any = None
) -> SmallHouse:
    async def story() -> SmallHouse:
        async with small_house(home, programs, answer=answer) as house:
            await house.pod({"terminationGracePeriodSeconds": 2, **spec})
            await asyncio.sleep(delete_after or seconds)
            if delete_after:
                await house.api.delete("pods", "default", "p")
                await asyncio.sleep(seconds - delete_after)
            await house.agents.agents[0].kit.events.flush()
            house.told = house.events()
            return house

    return run(story())


def test_runs_and_is_deleted(tmp_path: Path) -> None:
    house = told(tmp_path, {"containers": [container()]}, {}, 8, delete_after=4)
    assert lines(house) == [*BEGIN, "Running SIR c:running/0+", "Succeeded I c:exit0/0", "gone"]
    assert house.told == [
        ("Pulled", 1, PULLED[0]),
        ("Created", 1, PULLED[1]),
        ("Started", 1, "Container started"),
        ("Killing", 1, "Stopping container c"),
    ]
    assert house.runtime.alive == []
    assert not (tmp_path / "pods").exists() or list((tmp_path / "pods").iterdir()) == []


STORIES: dict[str, tuple[Obj, dict[str, Script], float, list[str]]] = {
    "ends well": (
        {"containers": [container()], "restartPolicy": "Never"},
        {"run": Script(1.0)},
        5,
        ["Running SIR c:running/0+", "Running SI c:exit0/0", "Succeeded I c:exit0/0"],
    ),
    "ends badly": (
        {"containers": [container()], "restartPolicy": "Never"},
        {"run": Script(1.0, 3)},
        5,
        ["Running SIR c:running/0+", "Running SI c:exit3/0", "Failed I c:exit3/0"],
    ),
    "ends before anybody looks": (
        {"containers": [container()], "restartPolicy": "Never"},
        {"run": Script(0.0)},
        5,
        ["Running SIR c:running/0+", "Running SI c:exit0/0", "Succeeded I c:exit0/0"],
    ),
    "cannot start": (
        {"containers": [container()], "restartPolicy": "Never"},
        {"run": Script(cannot_start="no such file")},
        5,
        ["Pending SI c:exit128/0", "Failed I c:exit128/0"],
    ),
    "loops": (
        {"containers": [container()]},
        {"run": Script(0.5, 1)},
        7,
        [
            "Running SIR c:running/0+", "Running SI c:exit1/0",
            "Running SIR c:running/1+", "Running SI c:exit1/1", "Running SI c:CrashLoopBackOff/1",
            "Running SIR c:running/2+", "Running SI c:exit1/2", "Running SI c:CrashLoopBackOff/2",
        ],
    ),
    "ignores its signal": (
        {"containers": [container()], "activeDeadlineSeconds": 3},
        {"run": Script(on_term=None)},
        9,
        ["Running SIR c:running/0+", "Running SI c:running/0+", "Failed I c:exit137/0"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str, tmp_path: Path) -> None:
    spec, programs, seconds, expected = STORIES[name]
    house = told(tmp_path, spec, {k: lambda _l, _n, s=s: s for k, s in programs.items()}, seconds)
    assert lines(house) == BEGIN + expected


def test_init_containers_run_one_after_the_other(tmp_path: Path) -> None:
    inits = [{**container("one"), "name": "i1"}, {**container("two"), "name": "i2"}]
    programs = {"one": lambda _l, _n: Script(1.0), "two": lambda _l, _n: Script(0.5)}
    house = told(tmp_path, {"containers": [container()], "initContainers": inits}, programs, 5)
    w = "PodInitializing"
    assert lines(house)[1:] == [
        f"Pending i1:{w}/0 i2:{w}/0 c:{w}/0",
        f"Pending S i1:{w}/0 i2:{w}/0 c:{w}/0",
        f"Pending S i1:running/0 i2:{w}/0 c:{w}/0",
        f"Pending S i1:exit0/0+ i2:{w}/0 c:{w}/0",
        f"Pending S i1:exit0/0+ i2:running/0 c:{w}/0",
        f"Pending SI i1:exit0/0+ i2:exit0/0+ c:{w}/0",
        "Running SIR i1:exit0/0+ i2:exit0/0+ c:running/0+",
    ]


def test_a_failed_init_container_fails_the_pod(tmp_path: Path) -> None:
    spec = {
        "containers": [container()],
        "initContainers": [{**container("bad"), "name": "i"}],
        "restartPolicy": "Never",
    }
    house = told(tmp_path, spec, {"bad": lambda _l, _n: Script(0.5, 2)}, 5)
    assert lines(house)[-2:] == ["Pending S i:exit2/0 c:PodInitializing/0", "Failed i:exit2/0 c:PodInitializing/0"]


def test_a_sidecar_comes_first_and_goes_last(tmp_path: Path) -> None:
    side = {**container("side"), "name": "side", "restartPolicy": "Always"}
    spec = {"containers": [container("main")], "initContainers": [side], "restartPolicy": "Never"}
    house = told(tmp_path, spec, {"main": lambda _l, _n: Script(2.0)}, 9)
    assert lines(house)[3:] == [
        "Pending SI side:running/0+ c:PodInitializing/0",
        "Running SIR side:running/0+ c:running/0+",
        "Running SI side:running/0+ c:exit0/0",
        "Running I side:exit0/0 c:exit0/0",
        "Succeeded I side:exit0/0 c:exit0/0",
    ]


def test_two_containers_are_shown_together_and_one_may_die(tmp_path: Path) -> None:
    spec = {"containers": [container(), {**container("dies"), "name": "d"}], "restartPolicy": "Never"}
    house = told(tmp_path, spec, {"dies": lambda _l, _n: Script(1.0, 1)}, 5)
    assert lines(house)[3:] == ["Running SIR c:running/0+ d:running/0+", "Running SI c:running/0+ d:exit1/0"]


def test_an_image_that_nobody_has(tmp_path: Path) -> None:
    spec = {"containers": [{**container(), "image": "localhost/none:1", "imagePullPolicy": "Never"}]}
    house = told(tmp_path, spec, {}, 8)
    assert lines(house) == [*BEGIN, "Pending SI c:ErrImageNeverPull/0"]
    text = 'Container image "localhost/none:1" is not present with pull policy of Never'
    assert house.told == [("ErrImageNeverPull", 2, text), ("Failed", 2, "Error: ErrImageNeverPull")]


def test_an_image_that_would_have_to_be_pulled(tmp_path: Path) -> None:
    spec = {"containers": [{**container(), "image": "redis:9", "imagePullPolicy": "Always"}]}
    house = told(tmp_path, spec, {}, 8)
    assert lines(house) == [*BEGIN, "Pending SI c:ErrImagePull/0", "Pending SI c:ImagePullBackOff/0"]
    reasons = sorted((r, c) for r, c, _ in house.told)
    assert reasons == [("BackOff", 1), ("Failed", 1), ("Failed", 1), ("Failed", 1), ("Pulling", 1)]
    assert "use the image madang.dev/host with a command of this machine" in str(house.told)


def test_missing_config_is_waited_for(tmp_path: Path) -> None:
    async def story() -> list[str]:
        async with small_house(tmp_path) as house:
            await house.pod({"containers": [container(envFrom=[{"configMapRef": {"name": "late"}}])]})
            await asyncio.sleep(5)
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}, "data": {"A": "1"}}
            await house.api.create("configmaps", body, namespace="default")
            await house.until(house.ready, 0.5)
            assert house.runtime.launches[0].env["A"] == "1"
            return lines(house)

    assert run(story()) == [*BEGIN, "Pending SI c:CreateContainerConfigError/0", "Running SIR c:running/0+"]


def test_a_missing_secret_keeps_the_volume_and_the_pod_waiting(tmp_path: Path) -> None:
    spec = {
        "containers": [container(volumeMounts=[{"name": "v", "mountPath": "/v"}])],
        "volumes": [{"name": "v", "secret": {"secretName": "none"}}],
    }
    house = told(tmp_path, spec, {}, 8)
    assert lines(house) == BEGIN[:2]
    assert house.told == [("FailedMount", 5, 'MountVolume.SetUp failed for volume "v" : secret "none" not found')]


def test_liveness_kills_and_the_container_comes_back(tmp_path: Path) -> None:
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 2}
    spec = {"containers": [container(livenessProbe=probe)]}
    house = told(tmp_path, spec, {}, 6, answer=lambda _t, _w: Result(False))
    assert lines(house)[3:] == [
        "Running SIR c:running/0+",
        "Running SI c:exit0/0",
        "Running SIR c:running/1+",
        "Running SI c:CrashLoopBackOff/1",
        "Running SIR c:running/2+",
    ]
    assert ("Killing", 2, "Container c failed liveness probe, will be restarted") in house.told
    assert ("Unhealthy", 4, "Liveness probe failed: ") in house.told or (
        "Unhealthy",
        5,
        "Liveness probe failed: ",
    ) in house.told


def test_a_startup_probe_that_never_passes_ends_the_pod(tmp_path: Path) -> None:
    probe = {"tcpSocket": {"port": 81}, "periodSeconds": 1, "failureThreshold": 3}
    spec = {"containers": [container(startupProbe=probe)], "restartPolicy": "Never"}
    refused = "dial tcp 10.0.0.9:81: connect: connection refused"
    house = told(tmp_path, spec, {}, 8, answer=lambda _t, _w: Result(False, refused))
    assert lines(house)[3:] == ["Running SI c:running/0", "Running I c:exit0/0", "Succeeded I c:exit0/0"]
    assert ("Unhealthy", 3, f"Startup probe failed: {refused}") in house.told
    assert ("Killing", 1, "Stopping container c") in house.told


def test_pre_stop_runs_before_the_signal(tmp_path: Path) -> None:
    hook = {"preStop": {"exec": {"command": ["sleep", "1"]}}}
    house = told(
        tmp_path, {"containers": [container(lifecycle=hook)]}, {}, 8, delete_after=3, answer=lambda _t, _w: 1.0
    )
    assert lines(house)[3:] == ["Running SIR c:running/0+", "Succeeded I c:exit0/0", "gone"]
    (c,) = house.runtime.containers.values()
    assert c.signals == [15]
    assert c.ended.result().finished_at_s - c.running.started_at_s > 3.9


def test_grace_that_is_ignored_ends_in_sigkill(tmp_path: Path) -> None:
    house = told(
        tmp_path, {"containers": [container()]}, {"run": lambda _l, _n: Script(on_term=None)}, 9, delete_after=3
    )
    assert lines(house)[3:] == ["Running SIR c:running/0+", "Failed I c:exit137/0", "gone"]
    (c,) = house.runtime.containers.values()
    assert c.signals == [15, 9]
