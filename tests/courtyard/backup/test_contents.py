"""Who stands still for which folders: as values."""

from itertools import chain
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from madang.courtyard.backup.contents import Group, groups, outside

HOME = Path("/state/default")


def pod(name: str, *volumes: dict[str, Any], phase: str = "Running") -> dict[str, Any]:
    named = [{"name": f"v{n}", **volume} for n, volume in enumerate(volumes)]
    meta = {"name": name, "namespace": "shop", "uid": f"uid-{name}"}
    return {"metadata": meta, "spec": {"volumes": named}, "status": {"phase": phase}}


def kept(name: str) -> dict[str, Any]:
    return {"hostPath": {"path": f"{HOME}/volumes/shop/{name}"}}


def test_pods_that_share_a_volume_stand_still_together() -> None:
    pods = [pod("a", kept("x"), {"emptyDir": {}}), pod("b", kept("x")), pod("c", kept("y"))]
    assert groups(pods, HOME, ["volumes/shop/x", "volumes/shop/unused"]) == [
        Group(("pods/uid-a/volumes/v1", "volumes/shop/x"), ("uid-a", "uid-b"), ("shop/a", "shop/b")),
        Group(("volumes/shop/unused",)),
        Group(("volumes/shop/y",), ("uid-c",), ("shop/c",)),
    ]


def test_a_claim_stands_for_its_volumes_folder() -> None:
    def volume(name: str, path: str) -> dict[str, Any]:
        spec = {"claimRef": {"namespace": "shop", "name": name}, "hostPath": {"path": path}}
        return {"metadata": {"name": f"pvc-{name}"}, "spec": spec}

    volumes = [volume("mine", f"{HOME}/volumes/shop/pvc-mine"), volume("other", "/srv/other")]
    pods = [pod("a", *({"persistentVolumeClaim": {"claimName": name}} for name in ("mine", "other")))]
    assert groups(pods, HOME, [], volumes) == [Group(("volumes/shop/pvc-mine",), ("uid-a",), ("shop/a",))]
    assert outside(pods, HOME, volumes) == ["/srv/other"]


def test_what_is_not_kept() -> None:
    """What has ended, lies in memory, is made from objects, or belongs to the user."""
    pods = [
        pod("over", kept("x"), phase="Succeeded"),
        pod("a", {"emptyDir": {"medium": "Memory"}}, {"configMap": {"name": "c"}}, {"hostPath": {"path": "/home/me"}}),
        pod("b", {"hostPath": {"path": "/state/default-not-ours"}}),
    ]
    assert groups(pods, HOME, []) == []
    assert outside(pods, HOME) == ["/home/me", "/state/default-not-ours"]


NAMES = st.sampled_from("xyzw")


@given(st.lists(st.lists(NAMES, max_size=3), max_size=6), st.lists(NAMES, unique=True))
def test_each_folder_and_each_pod_is_in_one_group(volumes: list[list[str]], named: list[str]) -> None:
    pods = [pod(f"p{n}", *map(kept, names)) for n, names in enumerate(volumes)]
    found = groups(pods, HOME, [f"volumes/shop/{name}" for name in named])
    folders = [folder for group in found for folder in group.folders]
    uids = [uid for group in found for uid in group.uids]
    assert sorted(folders) == sorted({f"volumes/shop/{name}" for name in [*named, *chain(*volumes)]})
    assert sorted(uids) == sorted(f"uid-p{n}" for n, names in enumerate(volumes) if names)
    for n, names in enumerate(volumes):
        (mine,) = [group for group in found if f"uid-p{n}" in group.uids] or [Group(())]
        assert {f"volumes/shop/{name}" for name in names} <= set(mine.folders)
