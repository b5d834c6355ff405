"""Containers where the images are here; a program of this machine where only that is."""

import pytest

from madang.node.containers.choice import choose
from madang.ports.objects import Obj


def pod(*images: str) -> Obj:
    return {"spec": {"containers": [{"name": f"c{i}", "image": image} for i, image in enumerate(images)]}}


@pytest.mark.parametrize(
    ("images", "name"),
    [
        (("stored",), "container"),
        (("host",), "host"),
        (("nowhere",), "container"),  # which then is pulled, or says why not
        (("nowhere", "host"), "host"),
        (("stored", "nowhere"), "container"),
        (("stored", "host"), "host"),
        (("stored", "both"), "container"),
        (("both",), "container"),
    ],
)
def test_what_is_here_decides(images: tuple[str, ...], name: str) -> None:
    assert choose(pod(*images), "host", ("stored", "both").__contains__, ("host", "both").__contains__) == name
