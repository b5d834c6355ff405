"""A claim as a pod's volume, and the folders of deleted volumes: nothing outside is touched."""

import os
from pathlib import Path

import pytest

from madang.kinds import claims as c
from madang.node.volumes.claim import give, hosted
from madang.node.volumes.content import Refused
from madang.node.volumes.reclaim import remove, to_go
from madang.ports.objects import Obj

POD: Obj = {"metadata": {"name": "p", "namespace": "shop", "uid": "u"},
            "spec": {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}}  # fmt: skip


def objects(**volume: object) -> dict[tuple[str, str], Obj]:
    claim = {"metadata": {"name": "data", "namespace": "shop", "uid": "k"}, "spec": {"volumeName": "v"},
             "status": {"phase": "Bound"}}  # fmt: skip
    ref = {"namespace": "shop", "name": "data", "uid": "k"}
    return {
        (c.CLAIMS, "data"): claim,
        (c.VOLUMES, "v"): {"metadata": {"name": "v"}, "spec": {"claimRef": ref, **volume}},
    }


def test_a_bound_claim_is_its_volumes_folder() -> None:
    known = objects(hostPath={"path": "/srv/v", "type": ""})
    (one,) = c.claimed(POD)
    assert hosted(POD, one, lambda k, n: known.get((k, n)))[1] == {"path": "/srv/v", "type": ""}
    known[(c.VOLUMES, "v")]["spec"]["claimRef"]["uid"] = "another"
    with pytest.raises(Refused, match="is not bound to it"):
        hosted(POD, one, lambda k, n: known.get((k, n)))
    known[(c.CLAIMS, "data")]["status"]["phase"] = "Pending"
    with pytest.raises(Refused, match="PVC is not bound"):
        hosted(POD, one, lambda k, n: known.get((k, n)))


def test_other_kinds_of_volumes_are_refused_by_name() -> None:
    known = objects(nfs={"server": "s", "path": "/p"})
    with pytest.raises(Refused, match="of the kind nfs aren't built yet"):
        hosted(POD, c.claimed(POD)[0], lambda k, n: known.get((k, n)))


def test_a_folder_goes_and_what_its_links_lead_to_stays(tmp_path: Path) -> None:
    kept, folder = tmp_path / "kept", tmp_path / "pvc-1"
    kept.mkdir()
    (kept / "precious").write_text("x")
    (folder / "sub").mkdir(parents=True)
    (folder / "link").symlink_to(kept)
    (folder / "sub" / "up").symlink_to("/")
    (folder / "sub").chmod(0o500)
    remove(folder)
    assert not folder.exists() and (kept / "precious").exists()
    folder.symlink_to(kept)
    remove(folder)
    assert not folder.is_symlink() and (kept / "precious").exists()


def test_only_a_volume_that_nobody_has_goes() -> None:
    going: Obj = {"metadata": {"deletionTimestamp": "x", "finalizers": [c.FOLDER]}, "status": {"phase": "Released"}}
    assert to_go(going)
    assert not to_go({**going, "status": {"phase": "Bound"}})
    assert not to_go({**going, "metadata": {"deletionTimestamp": "x", "finalizers": ["other"]}})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_groups_own_what_lies_there_and_nothing_that_a_link_names(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "v"
    outside.write_text("x")
    before = outside.stat()
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "file").write_text("y")
    (folder / "link").symlink_to(outside)
    give(folder, 2000, "Always")
    assert [p.stat().st_gid for p in (folder, folder / "sub", folder / "sub" / "file")] == [2000] * 3
    assert (outside.stat().st_gid, outside.stat().st_mode) == (before.st_gid, before.st_mode)
    os.chown(folder / "sub", -1, 0)
    give(folder, 2000, "OnRootMismatch")
    assert (folder / "sub").stat().st_gid == 0
