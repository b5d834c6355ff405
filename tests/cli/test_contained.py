"""The line that says which services run in containers."""

from typing import Any

from madang.cli.contained import told


def pod(image_id: str) -> Any:
    return {"status": {"containerStatuses": [{"imageID": image_id}]}}


def test_one_line_names_both_kinds() -> None:
    pods = {"web": [pod("madang.dev/x")], "cart": [pod("sha256:1"), pod("sha256:1")], "new": [{"status": {}}]}
    assert told(pods) == ["in containers, since their images are here: cart; as programs of this machine: new, web"]
    assert told({"cart": [pod("sha256:1")]}) == ["in containers, since their images are here: cart"]


def test_nothing_is_said_where_there_is_nothing_new() -> None:
    assert told({"web": [pod("madang.dev/x")]}) == []
    assert told({}) == []
