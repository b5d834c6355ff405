"""Volumes: what lies in them, how they change, what is refused."""

import asyncio
import tempfile
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.node.launch.environment import Place
from madang.node.volumes import volumes
from madang.node.volumes.content import File, Refused, content
from madang.node.volumes.projection import project
from madang.node.volumes.volumes import Volumes, source_of, tells_address, uses
from madang.ports.objects import Obj

PLACE = Place("10.0.0.7", "10.0.0.1")
POD: Obj = {
    "metadata": {"name": "p", "namespace": "shop", "uid": "u1", "labels": {"app": "cart"}},
    "spec": {"containers": []},
}
OBJECTS: dict[tuple[str, str], Obj] = {
    ("configmaps", "conf"): {
        "data": {"a.txt": "one", "b.txt": "two"},
        "binaryData": {"c": "AA=="},
    },
    ("secrets", "key"): {"data": {"k": b64encode(b"s").decode()}},
}


def lookup(kind: str, name: str) -> Obj | None:
    return OBJECTS.get((kind, name))


def prepared(home: Path, *volumes: Obj, token: Any = None) -> dict[str, Path]:
    pod = {**POD, "spec": {"volumes": list(volumes)}}
    return asyncio.run(Volumes(home, "t1", token).prepare(pod, lookup, PLACE))


def test_config_map_and_secret(tmp_path: Path) -> None:
    made = prepared(
        tmp_path,
        {"name": "conf", "configMap": {"name": "conf", "defaultMode": 0o400}},
        {"name": "key", "secret": {"secretName": "key", "items": [{"key": "k", "path": "deep/er", "mode": 0o600}]}},
    )
    assert {p.name: p.read_bytes() for p in made["conf"].iterdir() if not p.name.startswith("..")} == {
        "a.txt": b"one",
        "b.txt": b"two",
        "c": b"\x00",
    }
    assert (made["conf"] / "a.txt").stat().st_mode & 0o777 == 0o400
    assert (made["key"] / "deep/er").read_text() == "s"
    assert (made["key"] / "deep/er").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"secret": {"secretName": "none"}}, 'MountVolume.SetUp failed for volume "v" : secret "none" not found'),
        ({"configMap": {"name": "none"}}, 'MountVolume.SetUp failed for volume "v" : configmap "none" not found'),
        (
            {"configMap": {"name": "conf", "items": [{"key": "z", "path": "z"}]}},
            "references non-existent config key: z",
        ),
        ({"secret": {"secretName": "key", "items": [{"key": "k", "path": "../x"}]}}, "must not contain '..'"),
        ({"persistentVolumeClaim": {"claimName": "c"}}, 'persistentvolumeclaims "c" not found'),
        (
            {"hostPath": {"path": "/etc/passwd", "type": "Directory"}},
            "hostPath type check failed: /etc/passwd is not a d",
        ),
    ],
)
def test_refusals(volume: Obj, message: str, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        prepared(tmp_path, {"name": "v", **volume})
    assert message in str(refusal.value)


def test_optional_sources_are_empty(tmp_path: Path) -> None:
    made = prepared(tmp_path, {"name": "v", "configMap": {"name": "none", "optional": True}})
    assert [p.name for p in made["v"].iterdir() if not p.name.startswith("..")] == []


def test_projected_with_a_token(tmp_path: Path) -> None:
    async def token(pod: Obj, audience: str, seconds: int) -> str | None:
        return f"{pod['metadata']['name']} {audience} {seconds}"

    sources = [
        {"serviceAccountToken": {"path": "token", "audience": "x", "expirationSeconds": 3607}},
        {"configMap": {"name": "conf", "items": [{"key": "a.txt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    made = prepared(tmp_path, {"name": "v", "projected": {"sources": sources}}, token=token)
    found = {p.name: p.read_text() for p in made["v"].iterdir() if not p.name.startswith("..")}
    assert found == {"token": "p x 3607", "ca.crt": "one", "namespace": "shop"}


def test_an_empty_dir_keeps_what_is_in_it_until_it_is_removed(tmp_path: Path) -> None:
    made = prepared(tmp_path, {"name": "e", "emptyDir": {}}, {"name": "m", "emptyDir": {"medium": "Memory"}})
    (made["e"] / "f").write_text("x")
    (made["m"] / "f").write_text("x")
    again = prepared(tmp_path, {"name": "e", "emptyDir": {}}, {"name": "m", "emptyDir": {"medium": "Memory"}})
    assert (again["e"] / "f").exists() and (again["m"] / "f").exists()
    Volumes(tmp_path, "t1", None).remove("u1")
    assert not made["e"].exists() and not made["m"].exists()


def test_host_paths_are_made_where_they_may_be(tmp_path: Path) -> None:
    path = tmp_path / "data" / "db"
    made = prepared(tmp_path, {"name": "h", "hostPath": {"path": str(path), "type": "DirectoryOrCreate"}})
    assert made["h"] == path and path.is_dir()


def test_a_sub_path_leads_inside_and_never_out(tmp_path: Path) -> None:
    made = prepared(tmp_path, {"name": "e", "emptyDir": {}}, {"name": "c", "configMap": {"name": "conf"}})
    assert source_of(made, {"name": "e"}, "x/y") == made["e"] / "x/y"
    assert source_of(made, {"name": "c"}, "a.txt").read_text() == "one"
    with pytest.raises(Refused, match="subPath"):
        source_of(made, {"name": "e"}, "../x")
    outside = tmp_path / "outside"
    outside.mkdir()
    (made["e"] / "link").symlink_to(outside)
    for path in ("link", "link/deeper"):
        with pytest.raises(Refused, match=r"leads out of the volume: .*/outside"):
            source_of(made, {"name": "e"}, path)
    assert list(outside.iterdir()) == []


def test_a_reader_sees_all_old_or_all_new(tmp_path: Path) -> None:
    assert project(tmp_path, {"a": File(b"1", 0o644), "d/b": File(b"1", 0o644)})
    handle = (tmp_path / "..data").readlink()
    assert not project(tmp_path, {"a": File(b"1", 0o644), "d/b": File(b"1", 0o644)})
    assert (tmp_path / "..data").readlink() == handle
    assert project(tmp_path, {"a": File(b"2", 0o644)})
    assert (tmp_path / "a").read_bytes() == b"2"
    assert not (tmp_path / "d").is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith("..")) == ["a"]
    assert len(list(tmp_path.iterdir())) == 3  # a, ..data, its folder


@settings(deadline=None, max_examples=30)
@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", "c/d", "c/e"]), st.binary(max_size=8)), max_size=5))
def test_any_history_ends_with_the_last_state(states: list[dict[str, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for state in states:
            project(Path(folder), {k: File(v, 0o644) for k, v in state.items()})
        data = Path(folder) / "..data"
        found = {str(p.relative_to(data)): p.read_bytes() for p in data.rglob("*") if p.is_file()} if states else {}
        assert found == (states[-1] if states else {})


def test_who_uses_what() -> None:
    pod = {"spec": {"volumes": [{"name": "v", "projected": {"sources": [{"configMap": {"name": "conf"}}]}}]}}
    assert uses(pod, "configmaps", "conf")
    assert not uses(pod, "configmaps", "other")
    assert not uses(pod, "secrets", "conf")


def test_an_unknown_projected_source_is_refused() -> None:
    volume = {"name": "v", "projected": {"sources": [{"clusterTrustBundle": {}}]}}
    with pytest.raises(Refused, match="projected source clusterTrustBundle isn't built yet"):
        content(POD, volume, lookup, PLACE)


def test_what_lies_in_memory_goes_with_its_pod_or_its_courtyard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volumes, "_MEMORY", tmp_path / "shm")
    (tmp_path / "shm").mkdir()
    hand = Volumes(tmp_path, "t1", None)

    def pod(uid: str) -> Obj:
        spec = {"volumes": [{"name": "m", "emptyDir": {"medium": "Memory"}}, {"name": "d", "emptyDir": {}}]}
        return {"metadata": {**POD["metadata"], "uid": uid}, "spec": spec}

    def there() -> list[str]:
        return sorted(p.name for p in (tmp_path / "shm").iterdir())

    made = {uid: asyncio.run(hand.prepare(pod(uid), lookup, PLACE)) for uid in ("u1", "u2", "u3")}
    (tmp_path / "shm" / "madang-t2-u1").mkdir()
    hand.release("u1")
    assert there() == ["madang-t1-u2", "madang-t1-u3", "madang-t2-u1"] and made["u1"]["d"].is_dir()
    hand.sweep({"u3"})
    assert there() == ["madang-t1-u3", "madang-t2-u1"]
    volumes.sweep_memory("t1")
    assert there() == ["madang-t2-u1"]


def test_which_volumes_wait_for_the_address() -> None:
    def pod(*volumes: dict[str, Any]) -> dict[str, Any]:
        return {"spec": {"volumes": list(volumes)}}

    def told(path: str) -> dict[str, Any]:
        return {"downwardAPI": {"items": [{"path": "a", "fieldRef": {"fieldPath": path}}]}}

    assert not tells_address(pod({"emptyDir": {}}, told("metadata.name")))
    assert tells_address(pod({"emptyDir": {}}, told("status.podIP")))
    assert tells_address(pod({"projected": {"sources": [told("metadata.name"), told("status.podIPs")]}}))
