"""Both doors, as a client of HTTP sees them: who may enter, what is answered, in which form."""

import asyncio
import gzip
import queue
import stat
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import yaml

from madang.api.direct import DirectApi
from madang.haproxy import binary
from madang.store.model import StoreFailed
from madang.wire.answer import warning
from madang.wire.serve import Door
from tests.api.house import config_map
from tests.wire.doors import Client, doors

MAPS = "/api/v1/namespaces/default/configmaps"


def run(home: Path, test: Callable[[DirectApi, Door, Client], Awaitable[None]]) -> None:
    async def main() -> None:
        async with doors(home) as (api, door):
            await test(api, door, Client(door))

    asyncio.run(main())


def test_the_outer_door_asks_for_a_token_and_the_inner_one_does_not(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, inner: Client) -> None:
        assert (await inner("GET", MAPS)).status == 200
        outer = Client(door, inner=False)
        refused = await outer("GET", MAPS)
        assert refused.status == 401 and refused.body["reason"] == "Unauthorized"
        assert (await outer("GET", "/readyz")).raw == b"ok"
        for path in ("/version", "/version/"):  # the Python client asks for the second
            assert (await outer("GET", path)).body["major"] == "1"
        assert (await Client(door, inner=False, token="wrong")("GET", MAPS)).status == 401
        assert (await Client(door, inner=False, token=door.token)("GET", MAPS)).status == 200

    run(tmp_path, check)


def test_a_service_accounts_token_opens_the_outer_door_as_long_as_the_account_stands(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, inner: Client) -> None:
        await api.create("serviceaccounts", {"metadata": {"name": "bot", "namespace": "default"}})
        request = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {"expirationSeconds": 600}}
        made = await inner("POST", "/api/v1/namespaces/default/serviceaccounts/bot/token", request)
        assert made.status == 201
        client = Client(door, inner=False, token=made.body["status"]["token"])
        me = await client("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
        assert me.body["status"]["userInfo"]["username"] == "system:serviceaccount:default:bot"
        await api.delete("serviceaccounts", "default", "bot")
        door_desk_forgets = client.token[:-4] + "AAAA"
        assert (await Client(door, inner=False, token=door_desk_forgets)("GET", MAPS)).status == 401

    run(tmp_path, check)


def test_sockets_keys_and_kubeconfig_are_the_owners_alone(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, inner: Client) -> None:
        for path in (door.socket, door.kubeconfig, tmp_path / "admin.token", tmp_path / "pki" / "ca.key"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        config = yaml.safe_load(door.kubeconfig.read_text())
        assert config["current-context"] == "madang-test"
        assert config["clusters"][0]["cluster"]["server"] == door.url

    run(tmp_path, check)


def test_objects_lists_and_refusals(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, client: Client) -> None:
        made = await client("POST", MAPS, config_map("a", k="v"))
        assert made.status == 201 and made.body == (await client("GET", f"{MAPS}/a")).body
        listed = (await client("GET", f"{MAPS}?fieldSelector=metadata.name%3Da")).body
        assert listed["kind"] == "ConfigMapList" and "kind" not in listed["items"][0]
        assert listed["items"][0]["data"] == {"k": "v"}
        assert (await client("GET", "/nonesuch")).raw == b"404 page not found\n"
        assert (await client("PUT", MAPS, config_map("a"))).status == 405
        assert (await client("GET", "/api/v1/namespaces/default/nonesuch")).body["reason"] == "NotFound"
        assert (await client("GET", MAPS, headers={"Accept": "text/html"})).status == 406
        assert (await client("POST", MAPS, "a", {"Content-Type": "text/plain"})).status == 415
        broken = await client("POST", MAPS, "{")
        assert broken.status == 400 and "unexpected end of JSON input" in broken.body["message"]
        huge = await client("POST", MAPS, b"x" * (4 << 20))
        assert huge.status == 413

    run(tmp_path, check)


def test_unknown_fields_are_named_in_warning_headers(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, client: Client) -> None:
        made = await client("POST", MAPS, {**config_map("a"), "nope": 1})
        assert made.status == 201 and made.headers["warning"] == '299 - "unknown field \\"nope\\""'

    run(tmp_path, check)


def test_yaml_both_ways_and_gzip_for_large_lists(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, client: Client) -> None:
        text = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: z}\ndata: {y: 'yaml'}\n"
        made = await client("POST", MAPS, text, {"Content-Type": "application/yaml", "Accept": "application/yaml"})
        assert yaml.safe_load(made.raw)["data"] == {"true": "yaml"}
        for i in range(3):
            await api.create("configmaps", config_map(f"big{i}", k="x" * 60_000))
        packed = await client("GET", MAPS, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed.raw) == (await client("GET", MAPS)).raw

    run(tmp_path, check)


def test_a_watch_streams_lines_and_ends_in_time(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, client: Client) -> None:
        start = (await api.create("configmaps", config_map("a"))).obj["metadata"]["resourceVersion"]
        watching = asyncio.create_task(client("GET", f"{MAPS}?watch=1&resourceVersion={start}&timeoutSeconds=1"))
        await api.create("configmaps", config_map("b"))
        await api.delete("configmaps", "default", "b")
        lines = [yaml.safe_load(line) for line in (await watching).raw.splitlines()]
        assert [(line["type"], line["object"]["metadata"]["name"]) for line in lines] == [
            ("ADDED", "b"),
            ("DELETED", "b"),
        ]

    run(tmp_path, check)


def test_a_watch_from_too_far_back_ends_with_its_error_and_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def check(api: DirectApi, door: Door, client: Client) -> None:
        api.desk.store._history._oldest = api.desk.store.revision  # type: ignore[attr-defined]
        for query in ("watch=1&resourceVersion=1", "watch=1&resourceVersion=1&sendInitialEvents=false"):
            (line,) = (await client("GET", f"{MAPS}?{query}&timeoutSeconds=5")).raw.splitlines()
            assert yaml.safe_load(line)["object"]["code"] == 410

    run(tmp_path, check)
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "WARNING")]


def test_what_a_client_wrote_is_one_line_of_a_warning() -> None:
    assert warning('unknown field "a\r\nSet-Cookie: b"') == b'299 - "unknown field \\"a  Set-Cookie: b\\""'


def test_what_a_full_disk_left_empty_is_made_again(tmp_path: Path) -> None:
    tmp_path.joinpath("admin.token").touch(0o600)
    tmp_path.joinpath("api.port").touch()

    async def check(api: DirectApi, door: Door, client: Client) -> None:
        assert len(door.token) > 20
        assert stat.S_IMODE((tmp_path / "admin.token").stat().st_mode) == 0o600

    run(tmp_path, check)


def test_another_version_of_a_kind_is_served_and_taken(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, client: Client) -> None:
        path = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
        spec = {
            "maxReplicas": 3,
            "targetCPUUtilizationPercentage": 70,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"},
        }
        body = {
            "kind": "HorizontalPodAutoscaler",
            "apiVersion": "autoscaling/v1",
            "metadata": {"name": "h"},
            "spec": spec,
        }
        made = await client("POST", path, body)
        assert made.status == 201, made.raw
        assert made.body["apiVersion"] == "autoscaling/v1"
        assert made.body["spec"]["targetCPUUtilizationPercentage"] == 70
        stored = await api.get("horizontalpodautoscalers.autoscaling", "default", "h")
        assert stored["apiVersion"] == "autoscaling/v2" and stored["spec"]["metrics"]
        listed = (await client("GET", path)).body
        assert listed["apiVersion"] == "autoscaling/v1" and listed["items"][0]["spec"]["maxReplicas"] == 3

    run(tmp_path, check)


def test_the_doors_close_and_leave_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with doors(tmp_path) as (_, door):
            first = door.port
        assert not door.socket.exists() and not list((tmp_path / "run").iterdir())
        async with doors(tmp_path) as (_, door):
            assert door.port == first

    asyncio.run(main())


def test_closing_doors_end_watches_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with doors(tmp_path) as (_, door):
            watching = asyncio.create_task(Client(door)("GET", f"{MAPS}?watch=1&timeoutSeconds=60"))
            outside = Client(door, inner=False, token=door.token)
            also = asyncio.create_task(outside("GET", f"{MAPS}?watch=1&timeoutSeconds=60"))
            await asyncio.sleep(0.5)  # until both streams are open
        assert b"ADDED" in (await watching).raw and b"ADDED" in (await also).raw

    asyncio.run(main())
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "WARNING")]


def test_a_full_disk_is_a_503_and_the_doors_stay_open(tmp_path: Path) -> None:
    async def check(api: DirectApi, door: Door, client: Client) -> None:
        def full(*_: object, **__: object) -> None:
            raise StoreFailed("no space left on device")

        put, api.desk.store.put = api.desk.store.put, full  # type: ignore[assignment, method-assign]
        refused = await client("POST", MAPS, config_map("a"))
        assert refused.status == 503 and "no space left" in refused.body["message"]
        api.desk.store.put = put  # type: ignore[method-assign]
        assert (await client("POST", MAPS, config_map("a"))).status == 201

    run(tmp_path, check)


@pytest.mark.parametrize(("host", "status"), [("127.0.0.1:6443", 200), ("localhost", 200), ("[::1]:1", 200),
                                              ("kubernetes.default.svc", 200), ("evil.example", 403)])  # fmt: skip
def test_only_our_own_names_and_addresses_are_answered(tmp_path: Path, host: str, status: int) -> None:
    async def check(api: DirectApi, door: Door, client: Client) -> None:
        outer = Client(door, inner=False, token=door.token)
        assert (await outer("GET", MAPS, headers={"Host": host})).status == status

    run(tmp_path, check)


def test_without_haproxy_the_door_takes_the_tls_off_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise binary.NoHAProxy

    monkeypatch.setattr(binary, "find", none)

    async def check(api: DirectApi, door: Door, client: Client) -> None:
        outer = Client(door, inner=False, token=door.token)
        assert (await outer("GET", MAPS)).status == 200
        assert (await Client(door, inner=False)("GET", MAPS)).status == 401

    run(tmp_path, check)


def test_it_runs_in_a_thread_of_somebody_elses_process(tmp_path: Path) -> None:
    """On a loop of its own, beside one that knows nothing of it."""
    opened: queue.Queue[Door] = queue.Queue()
    close = threading.Event()

    async def serving() -> None:
        async with doors(tmp_path) as (_, door):
            opened.put(door)
            await asyncio.to_thread(close.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serving()))
    thread.start()
    try:
        door = opened.get(timeout=30)
        outer = Client(door, inner=False, token=door.token)
        assert asyncio.run(outer("GET", MAPS)).status == 200
    finally:
        close.set()
        thread.join(30)
    assert not thread.is_alive() and not door.socket.exists()
