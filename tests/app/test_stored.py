"""An image that is here stays what it is: no server of this machine is looked for in its place."""

from pathlib import Path

import pytest

from madang import app
from madang.app.choice import CONTAINER, Chosen, HostAlone

FILE = "services:\n  db:\n    image: example/unknown:7\n"


class Stored(HostAlone):
    def of_image(self, project: str, service: str, image: str, asked: str) -> Chosen:
        return Chosen(CONTAINER, "its image is here")


def test_an_image_that_is_here_is_run_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(FILE)
    options = app.LoadOptions(home=tmp_path / "home", runtimes=Stored())
    objects = app.load([tmp_path], options).objects
    deployment = next(o for o in objects if o["kind"] == "Deployment")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "example/unknown:7"
    with pytest.raises(app.ApplicationError, match="cannot run here"):
        app.load([tmp_path], app.LoadOptions(home=tmp_path / "home"))
