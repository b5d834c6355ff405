"""Nodes as a whole, on virtual time: registration, rotation, names, volumes, adoption, the way down."""

import asyncio
from pathlib import Path
from typing import Any

from madang.node.probes.result import Result
from madang.node.runtimes.runtime import Running, SignalRefused
from madang.ports.api import DeleteOptions
from madang.ports.objects import Obj
from tests.node.make_believe import MakeBelieveRuntime, Script
from tests.node.small_house import IMAGE, SmallHouse, small_house
from tests.node.virtual import VirtualClock, run


def container(**more: Any) -> Obj:
    return {"name": "c", "image": IMAGE, "command": ["run"], **more}


def node_conditions(node: Obj) -> dict[str, tuple[str, str]]:
    return {c["type"]: (c["status"], c["reason"]) for c in node["status"]["conditions"]}


def test_nodes_share_the_machine_and_are_ready(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path, nodes=2) as house:
            await asyncio.sleep(0.1)
            first, second = house.api.view.list("nodes")
            assert [n["metadata"]["name"] for n in (first, second)] == ["node-1", "node-2"]
            assert second["status"]["capacity"]["cpu"] == "2"
            assert second["status"]["capacity"]["memory"] == "4Gi"
            assert second["metadata"]["labels"]["kubernetes.io/hostname"] == "node-2"
            assert node_conditions(first) == {
                "MemoryPressure": ("False", "KubeletHasSufficientMemory"),
                "DiskPressure": ("False", "KubeletHasNoDiskPressure"),
                "PIDPressure": ("False", "KubeletHasSufficientPID"),
                "Ready": ("True", "KubeletReady"),
            }
            assert not first["spec"].get("taints")
            lease = house.api.view.get("leases.coordination.k8s.io", "kube-node-lease", "node-1")
            assert lease is not None and lease["spec"]["holderIdentity"] == "node-1"
            reasons = {e["reason"] for e in house.api.view.list("events") if e["involvedObject"]["kind"] == "Node"}
            assert {"Starting", "NodeReady", "NodeHasSufficientMemory"} <= reasons

    run(story())


def test_nodes_have_ranges_and_addresses_of_their_own(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path, nodes=2) as house:
            await asyncio.sleep(0.1)
            nodes = house.api.view.list("nodes")
            assert [n["spec"]["podCIDRs"] for n in nodes] == [["10.244.0.0/17"], ["10.244.128.0/24"]]
            assert [n["status"]["addresses"][0]["address"] for n in nodes] == ["10.244.0.1", "10.244.128.1"]
            await house.pod({"containers": [container()]}, bind="node-2")
            await house.until(lambda: house.phase() == "Running")
            assert house.status()["hostIP"] == "10.244.128.1"

    run(story())


def test_a_node_whose_range_is_another_is_made_anew_with_what_stood_on_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path) as house:
            await asyncio.sleep(0.1)
            first = house.api.view.list("nodes")[0]
            house.agents.agents[0].broken = "hang"  # so that it does not register before us
            await house.api.delete("nodes", "", "node-1")
            spec = {"podCIDRs": ["10.9.0.0/24"], "podCIDR": "10.9.0.0/24", "unschedulable": True}
            meta = {"name": "node-1", "labels": {"disk": "quick"}}
            await house.api.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": spec})
            registrar = house.agents.agents[0].registrar
            registrar.begin()
            assert await registrar.keep()
            found = house.api.view.get("nodes", "", "node-1")
            assert found is not None and found["spec"]["podCIDRs"] == first["spec"]["podCIDRs"]
            assert found["spec"]["unschedulable"] and found["metadata"]["labels"]["disk"] == "quick"

    run(story())


def test_an_idle_house_writes_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path) as house:
            await house.pod({"containers": [container()]})
            await house.until(house.ready)
            await asyncio.sleep(1)
            before = house.api.desk.store.revision
            await asyncio.sleep(600)
            assert house.api.desk.store.revision == before

    run(story())


def test_a_declared_port_makes_a_container_ready_when_it_opens(tmp_path: Path) -> None:
    async def story() -> None:
        programs = {"run": lambda _l, _n: Script(listens_s=1.5)}
        async with small_house(tmp_path, programs) as house:
            await house.pod({"containers": [container(ports=[{"containerPort": 80}])]})
            await house.until(lambda: house.phase() == "Running")
            began = asyncio.get_running_loop().time()
            assert not house.ready()
            await house.until(house.ready)
            assert 1.4 < asyncio.get_running_loop().time() - began < 1.6

    run(story())


def test_a_port_that_may_stay_closed_is_waited_for_a_while(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path, {"run": lambda _l, _n: Script(listens_s=600)}) as house:
            spec = {"containers": [container(ports=[{"containerPort": 80}])]}
            await house.pod(spec, annotations={"madang.dev/listens": "maybe"})
            await house.until(lambda: house.phase() == "Running")
            assert not house.ready()
            await house.until(house.ready, 6)

    run(story())


def test_no_readiness_probe_is_tried_before_its_initial_delay(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path) as house:
            probe = {"httpGet": {"port": 80}, "initialDelaySeconds": 6, "periodSeconds": 1}
            await house.pod({"containers": [container(readinessProbe=probe)]})
            await asyncio.sleep(5.5)
            assert house.phase() == "Running" and not house.ready()
            await asyncio.sleep(1)
            assert house.ready()

    run(story())


def test_a_readiness_probe_is_tried_every_twenty_milliseconds(tmp_path: Path) -> None:
    async def story() -> None:
        def answer(target: Any, _what: Obj) -> Result:
            started = house.runtime.containers[target.running.id].running.started_at_s
            return Result(house.agents.agents[0].kit.clock.now_s() - started > 0.5, "not yet")

        async with small_house(tmp_path, answer=answer) as house:
            await house.pod({"containers": [container(readinessProbe={"httpGet": {"port": 80}, "periodSeconds": 10})]})
            await house.until(house.ready, 1.0)
            assert 20 < len(house.handler.asked) < 30
            await house.agents.agents[0].kit.events.flush()
            assert "Unhealthy" not in {reason for reason, _, _ in house.events()}

    run(story())


def test_a_command_is_not_tried_before_the_port_is_open(tmp_path: Path) -> None:
    async def story() -> None:
        programs = {"run": lambda _l, _n: Script(listens_s=1.5)}
        async with small_house(tmp_path, programs) as house:
            probe = {"exec": {"command": ["x"]}, "periodSeconds": 10}
            await house.pod({"containers": [container(ports=[{"containerPort": 80}], readinessProbe=probe)]})
            await house.until(house.ready, 2.0)
            assert len(house.handler.asked) == 1

    run(story())


def test_a_hanging_probe_is_cut_off_and_counts_as_failed(tmp_path: Path) -> None:
    async def story() -> None:
        probe = {"exec": {"command": ["x"]}, "periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 2}
        async with small_house(tmp_path, answer=lambda _t, _w: 3600.0) as house:
            await house.pod({"containers": [container(livenessProbe=probe)]})
            await house.until(lambda: len(house.runtime.containers) == 2, 10)

    run(story())


def test_who_serves_leaves_its_services_before_the_signal(tmp_path: Path) -> None:
    async def story() -> float:
        async with small_house(tmp_path) as house:
            service = {"metadata": {"name": "s"}, "spec": {"selector": {"app": "a"}, "ports": [{"port": 80}]}}
            await house.api.create("services", {"apiVersion": "v1", "kind": "Service", **service}, namespace="default")
            await house.pod({"containers": [container()]}, labels={"app": "a", "more": "b"})
            await house.until(house.ready)
            (c,) = house.runtime.containers.values()
            await house.api.delete("pods", "default", "p")
            began = asyncio.get_running_loop().time()
            await house.until(lambda: bool(c.signals))
            return asyncio.get_running_loop().time() - began

    assert 0.03 <= run(story()) < 0.05


def test_names_follow_services(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path) as house:
            made = await house.pod({"containers": [container()]})
            await house.until(house.ready)
            hosts = tmp_path / "pods" / made["metadata"]["uid"] / "hosts"
            inode = hosts.stat().st_ino
            assert "\tp\n" in hosts.read_text()
            assert "kubernetes.default.svc.cluster.local" in hosts.read_text()
            service = {"metadata": {"name": "cart"}, "spec": {"ports": [{"port": 80}]}}
            await house.api.create("services", {"apiVersion": "v1", "kind": "Service", **service}, namespace="default")
            await house.until(lambda: "cart cart.default " in hosts.read_text(), 1.0)
            assert hosts.stat().st_ino == inode
            (launch,) = house.runtime.launches
            assert (hosts, "/etc/hosts") in [(m.source, m.target) for m in launch.mounts]

    run(story())


def test_a_changed_config_map_reaches_its_volume(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path) as house:
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"a": "1"}}
            await house.api.create("configmaps", body, namespace="default")
            mounts = [{"name": "v", "mountPath": "/v"}]
            volumes = [{"name": "v", "configMap": {"name": "conf"}}]
            made = await house.pod({"containers": [container(volumeMounts=mounts)], "volumes": volumes})
            await house.until(house.ready)
            file = tmp_path / "pods" / made["metadata"]["uid"] / "volumes" / "v" / "a"
            assert file.read_text() == "1"
            await house.api.patch("configmaps", "default", "conf", {"data": {"a": "2"}})
            await house.until(lambda: file.read_text() == "2", 1.0)

    run(story())


def test_the_way_down_stops_all_and_the_next_start_brings_all_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path) as house:
            await house.pod({"containers": [container()], "terminationGracePeriodSeconds": 5})
            await house.until(house.ready)
            await house.agents.stop_everything()
            assert house.runtime.alive == []
            assert dict(house.network.attached()) == {}
            assert house.phase() == "Running" and not house.ready()
            again = await _restarted(house)
            await house.until(house.ready)
            assert house.status()["containerStatuses"][0]["restartCount"] == 1
            again.cancel()
            await asyncio.gather(again, return_exceptions=True)

    run(story())


def test_a_killed_control_process_is_followed_by_one_that_adopts(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path) as house:
            await house.pod({"containers": [container()]})
            await house.until(house.ready)
            states = len(house.states)
            again = await _restarted(house)
            await asyncio.sleep(1)
            assert len(house.runtime.containers) == 1
            assert len(house.states) == states, "nothing new is said about what just goes on"
            (id,) = house.runtime.alive
            house.runtime.end(id, 3)
            await house.until(lambda: house.status()["containerStatuses"][0]["restartCount"] == 1)
            ended = house.status()["containerStatuses"][0]["lastState"]["terminated"]
            assert (ended["exitCode"], ended["reason"]) == (3, "Error")
            again.cancel()
            await asyncio.gather(again, return_exceptions=True)

    run(story())


def test_an_exit_that_nobody_saw_is_found_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path) as house:
            await house.pod({"containers": [container()], "restartPolicy": "Never"})
            await house.until(house.ready)
            house.halt()
            await asyncio.sleep(0.1)
            (id,) = house.runtime.alive
            house.runtime.end(id, 7)
            again = await _restarted(house)
            await house.until(lambda: house.phase() == "Failed")
            assert house.status()["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 7
            again.cancel()
            await asyncio.gather(again, return_exceptions=True)

    run(story())


def test_an_adopted_container_whose_config_is_gone_goes_on_and_can_be_stopped(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path) as house:
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"A": "1"}}
            await house.api.create("configmaps", body, namespace="default")
            probe = {"exec": {"command": ["x"]}, "periodSeconds": 1}
            refs = [{"configMapRef": {"name": "conf"}}]
            await house.pod({"containers": [container(envFrom=refs, livenessProbe=probe)]})
            await house.until(house.ready)
            house.halt()
            await asyncio.sleep(0.1)
            await house.api.delete("configmaps", "default", "conf")
            again = await _restarted(house)
            await asyncio.sleep(5)
            assert len(house.runtime.alive) == 1
            assert len(house.runtime.containers) == 1
            await house.api.delete("pods", "default", "p")
            await house.until(lambda: house.phase() == "", 5)
            again.cancel()
            await asyncio.gather(again, return_exceptions=True)

    run(story())


def test_what_was_deleted_meanwhile_is_swept(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path) as house:
            await house.pod({"containers": [container()]})
            await house.until(house.ready)
            house.halt()
            await asyncio.sleep(0.1)
            await house.api.delete("pods", "default", "p", DeleteOptions(grace_s=0))
            again = await _restarted(house)
            assert house.runtime.alive == []
            assert list((tmp_path / "pods").iterdir()) == []
            again.cancel()
            await asyncio.gather(again, return_exceptions=True)

    run(story())


def test_a_force_deleted_pod_is_stopped(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path, {"run": lambda _l, _n: Script(on_term=None)}) as house:
            await house.pod({"containers": [container()]})
            await house.until(house.ready)
            await house.api.delete("pods", "default", "p", DeleteOptions(grace_s=0))
            await house.until(lambda: not house.runtime.alive, 3.0)

    run(story())


def test_readiness_gates_are_honoured(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path) as house:
            await house.pod({"containers": [container()], "readinessGates": [{"conditionType": "example/ok"}]})
            await house.until(lambda: house.phase() == "Running")
            ready = next(c for c in house.status()["conditions"] if c["type"] == "Ready")
            assert ready["reason"] == "ReadinessGatesNotReady"
            assert ready["message"] == 'corresponding condition of pod readiness gate "example/ok" does not exist.'
            conditions = [*house.status()["conditions"], {"type": "example/ok", "status": "True"}]
            await house.api.patch("pods", "default", "p", {"status": {"conditions": conditions}}, subresource="status")
            await house.until(house.ready, 1.0)
            assert any(c["type"] == "example/ok" for c in house.status()["conditions"])

    run(story())


def test_samples_tell_cpu_and_memory(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path) as house:
            await house.pod({"containers": [container()]})
            await house.until(house.ready)
            await asyncio.sleep(3)
            usage = house.agents.samples.pod("default", "p")
            assert usage is not None
            assert abs(usage.containers["c"].cpu_cores - 0.5) < 0.01
            assert usage.containers["c"].memory_bytes == 7_000_000
            node = house.agents.samples.node("node-1")
            assert node is not None and abs(node.cpu_cores - 0.5) < 0.01

    run(story())


async def _restarted(house: SmallHouse) -> "asyncio.Task[None]":
    """The control process is gone; a new one starts over the same folders and the same machine."""
    house.halt()
    await asyncio.sleep(0.1)
    agents = house.new_agents()
    task = asyncio.create_task(agents.run())
    house.agents = agents
    await asyncio.sleep(0.1)
    return task


class Deaf(MakeBelieveRuntime):
    """Its programs have become somebody else."""

    async def signal(self, running: Running, signal: int, *, group: bool = True) -> None:
        raise SignalRefused("process 7 has become user root")

    async def kill(self, running: Running) -> None:
        await super().kill(running)
        raise SignalRefused("process 7 has become user root")


def test_a_program_that_takes_no_signal_is_told_and_given_up(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path, runtime=Deaf(VirtualClock(), {})) as house:
            await house.pod({"containers": [container()], "terminationGracePeriodSeconds": 1})
            await house.until(lambda: house.phase() == "Running")
            await house.api.delete("pods", "default", "p", DeleteOptions())
            await house.until(lambda: house.api.view.get("pods", "default", "p") is None, 5)
            await house.agents.agents[0].kit.events.flush()
            told = [(reason, message) for reason, _, message in house.events() if reason == "FailedKillPod"]
            assert told == [("FailedKillPod", "error killing pod: process 7 has become user root")]

    run(story())
