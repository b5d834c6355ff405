"""Images on the host runtime: known ones, this machine, and the refusals in a kubelet's words."""

from pathlib import Path

import pytest

from madang.node.images.images import Images, NotHere, pull_events, waiting
from madang.ports.program import HOST, Program, save


def test_known_programs_and_this_machine(tmp_path: Path) -> None:
    program = Program("shop/cart:1", tmp_path, entrypoint=("python",))
    save(tmp_path, program)
    images = Images(tmp_path)
    assert images.resolve("shop/cart:1", "IfNotPresent") == program
    assert images.resolve(HOST, "Never") == Program(HOST, Path("/"))


@pytest.mark.parametrize(
    ("reference", "policy", "reason"),
    [
        ("redis:9", "Never", "ErrImageNeverPull"),
        ("redis:9", "Always", "ErrImagePull"),
        ("", "Never", "InvalidImageName"),
    ],
)
def test_refusals(reference: str, policy: str, reason: str, tmp_path: Path) -> None:
    found = Images(tmp_path).resolve(reference, policy)
    assert isinstance(found, NotHere)
    assert found.reason == reason


def test_a_pull_that_fails_again_is_a_back_off() -> None:
    why = NotHere("ErrImagePull", "no")
    assert waiting("x", why, 1) == ("ErrImagePull", "no")
    assert waiting("x", why, 2) == ("ImagePullBackOff", 'Back-off pulling image "x": ErrImagePull: no')
    assert [e[1] for e in pull_events("x", why, 1)] == ["Pulling", "Failed", "Failed"]
    assert [e[2] for e in pull_events("x", why, 2)] == ['Back-off pulling image "x"', "Error: ImagePullBackOff"]
