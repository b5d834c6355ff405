"""A state that comes from elsewhere: paths lead below the new home, nothing is ready."""

import orjson
import pytest

from madang.courtyard.backup.moving import Moved, at_rest


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (b'{"path":"/old/home/volumes/a"}', b'{"path":"/new/volumes/a"}'),
        (b'{"arg":"--dir=/old/home/x:/old/home/y"}', b'{"arg":"--dir=/new/x:/new/y"}'),
        (b'{"embedded":"{\\"path\\":\\"/old/home/x\\"}"}', b'{"embedded":"{\\"path\\":\\"/new/x\\"}"}'),
        (b'{"path":"/old/homestead/x"}', None),
        (b'{"path":"/srv/old/home/x"}', None),
        (b'{"path":"/old/home"}', None),
    ],
)
def test_paths(text: bytes, after: bytes | None) -> None:
    assert Moved("/old/home", "/new").text(text) == (after or text)
    assert Moved("/old/home", "/old/home").text(text) == text


def test_paths_with_letters_that_json_writes_otherwise() -> None:
    moved = Moved('/old "q" 집', "/new\\x")
    assert orjson.loads(moved.text(orjson.dumps({"p": '/old "q" 집/v'}))) == {"p": "/new\\x/v"}


def test_nothing_is_ready() -> None:
    status = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "True"}],
        "containerStatuses": [{"name": "a", "ready": True, "restartCount": 2}],
    }
    pod = orjson.loads(at_rest("pods", orjson.dumps({"metadata": {}, "status": status})))
    assert [c["status"] for c in pod["status"]["conditions"]] == ["False", "True"]
    assert pod["status"]["containerStatuses"] == [{"name": "a", "ready": False, "restartCount": 2}]
    over = orjson.dumps({"metadata": {}, "status": {**status, "phase": "Succeeded"}})
    assert at_rest("pods", over) == over
    deployment = orjson.dumps({"status": {"replicas": 2, "readyReplicas": 2, "availableReplicas": 2}})
    assert orjson.loads(at_rest("deployments.apps", deployment)) == {"status": {"replicas": 2}}
    assert at_rest("configmaps", b"as it is") == b"as it is"
