"""A service whose `build:` becomes an image: what its objects say, who builds it, whose its volumes are."""

import asyncio
from pathlib import Path

import pytest

from madang import app
from madang.app.choice import CONTAINER, Chosen, HostAlone, Image, Impossible, Tell
from madang.app.programs.make import Build
from madang.app.programs.stage import Stage

TEXT = """
services:
  web: {build: web, volumes: ["data:/data"]}
  bare: {build: {context: web, target: bare}, x-madang: {runtime: container}}
volumes: {data: }
"""


class Images(HostAlone):
    def __init__(self, *, here: bool = False, fails: bool = False) -> None:
        self.here, self.fails, self.asked, self.made = here, fails, list[tuple[str, str]](), list[tuple[str, bool]]()

    def of_build(self, build: Build, asked: str) -> Chosen:
        self.asked.append((build.service, asked))

        async def make(tell: Tell, fresh: bool) -> None:
            tell(build.service, "1/1 COPY", step=True)
            if self.fails:
                raise Impossible("step 1 failed")
            self.made.append((build.service, fresh))

        stage = Stage(command=("serve",), ports=[(80, "TCP")], user="1234:55")
        return Chosen(
            CONTAINER,
            "x is here",
            Image(build.service, f"made/{build.service}:1", build.context, stage, self.here, make),
        )


def loaded(tmp_path: Path, images: Images, text: str = TEXT) -> app.Application:
    (tmp_path / "web").mkdir(exist_ok=True)
    (tmp_path / "compose.yaml").write_text(text)
    return app.load([tmp_path], app.LoadOptions(home=tmp_path / "home", runtimes=images))


def test_the_image_is_named_and_nothing_is_a_program(tmp_path: Path) -> None:
    images = Images()
    made = loaded(tmp_path, images)
    assert not made.builds and [i.reference for i in made.images] == ["made/web:1", "made/bare:1"]
    assert images.asked == [("web", ""), ("bare", "container")]
    pods = [o["spec"]["template"]["spec"] for o in made.objects if o["kind"] == "Deployment"]
    assert [p["containers"][0]["image"] for p in pods] == ["made/web:1", "made/bare:1"]
    assert pods[0]["containers"][0]["ports"][0]["containerPort"] == 80
    assert {name: one.why for name, one in made.chosen.items()} == {"web": "x is here", "bare": "x is here"}
    (volume,) = made.volumes
    assert (volume.path.name, volume.uid, volume.gid) == ("data", 1234, 55)


@pytest.mark.parametrize(("here", "rebuild", "times"), [(False, False, 2), (True, False, 0), (True, True, 2)])
def test_what_is_here_is_not_built(tmp_path: Path, here: bool, rebuild: bool, times: int) -> None:
    images, said = Images(here=here), list[str]()

    def tell(service: str, line: str, step: bool = False) -> None:
        said.append(f"{service}: {line}")

    asyncio.run(app.build(loaded(tmp_path, images), tmp_path, tell, rebuild=rebuild))
    assert len(images.made) == len(said) == times and {fresh for _, fresh in images.made} <= {rebuild}


def test_every_failure_is_told(tmp_path: Path) -> None:
    with pytest.raises(app.ApplicationError) as failed:
        asyncio.run(app.build(loaded(tmp_path, Images(fails=True)), tmp_path, lambda service, line, step=False: None))
    assert sorted(failed.value.messages) == ["bare: step 1 failed", "web: step 1 failed"]


def test_another_word_for_a_runtime_is_refused(tmp_path: Path) -> None:
    text = "services: {web: {build: web, x-madang: {runtime: rocket}}}"
    with pytest.raises(app.ApplicationError, match=r"x-madang\.runtime: expected host, container or auto"):
        loaded(tmp_path, Images(), text)
