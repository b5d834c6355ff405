from typing import Any

import pytest

from madang.kinds.checks.volumes import check_volumes
from tests.kinds.checks.objects import told


@pytest.mark.parametrize(
    ("volume", "faults"),
    [
        ({"emptyDir": {}}, []),
        ({}, ["v[0]: Required value: must specify a volume type"]),
        ({"emptyDir": {"sizeLimit": "-1"}}, 1),
        ({"hostPath": {"path": "/a/../b"}}, ["v[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'"]),
        ({"secret": {"defaultMode": 0o1000, "secretName": "s"}},
         ["v[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive"]),
        ({"configMap": {"name": "c", "items": [{"key": "a", "path": "/b"}]}},
         ['v[0].configMap.items[0].path: Invalid value: "/b": must be a relative path']),
        ({"persistentVolumeClaim": {}}, ["v[0].persistentVolumeClaim.claimName: Required value"]),
        ({"ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"]}}}},
         ["v[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value"]),
        ({"downwardAPI": {"items": [{"path": "a"}]}},
         ["v[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"]),
        ({"projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 5}}]}},
         ["v[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify a "
          "duration less than 10 minutes"]),
        ({"nfs": {"server": "s", "path": "p"}}, ['v[0].nfs.path: Invalid value: "p": must be an absolute path']),
    ],
)  # fmt: skip
def test_sources(volume: dict[str, Any], faults: list[str] | int) -> None:
    found, names = check_volumes([{"name": "v", **volume}], "v")
    assert len(found) == faults if isinstance(faults, int) else told(found) == faults
    assert names == (frozenset() if found else {"v"})


def test_names_are_used_once() -> None:
    found, _ = check_volumes([{"name": "v", "emptyDir": {}}] * 2, "v")
    assert told(found) == ['v[1].name: Duplicate value: "v"']
