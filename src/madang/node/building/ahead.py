"""What a build will make, told before it is made: so that who has the image already need not build at all.

In: what is asked of a build, the store that its bases are in. Out: `Foretold`: a key that is another where the image
would be another, how the image wants to be run, what it stands on. Raises `Refused`, `NoBase` and `NoPython` as the
builds do. Files are read for their
digests (and fetched, where only their content tells), nothing is kept.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from madang.node.building import python_image
from madang.node.building.dockerfile_image import Asked, drawn, ignored
from madang.node.building.fetching import Fetching
from madang.node.building.trees import Context
from madang.node.images.build.keys import key
from madang.node.images.image import ImageConfig, image_config
from madang.node.images.store import Store


@dataclass(frozen=True, slots=True)
class Foretold:
    """`bases` are the images that it stands on, the last stage's first."""

    key: str
    config: ImageConfig
    bases: tuple[str, ...]


def foretell(asked: Asked | python_image.Asked, store: Store) -> Foretold:
    if isinstance(asked, python_image.Asked):
        return _of_python(asked, store)
    with TemporaryDirectory(prefix="madang-fetched-") as work:
        planned, found = drawn(asked, store, Context(asked.folder, ignored(asked)), Fetching(Path(work)))
    settings = {name: value for name, value in planned.target.config.items() if name != "history"}
    bases = sorted(found, key=lambda ref: ref != planned.target.base.image)
    return Foretold(_key("dockerfile", planned.target.key, settings), image_config(settings), tuple(bases))


def _of_python(asked: python_image.Asked, store: Store) -> Foretold:
    ground = python_image.found(asked, store)
    base = json.loads(store.layout.blob(ground.root.id).read_bytes())
    settings = python_image.plan(ground, [], base).target.config
    wanted, project = ground.project.requirements, ground.project
    files = (project.scripts, project.metadata, ground.context.digest((".",)))
    made_of = (ground.root.id, wanted.lines, wanted.constraints, *files)
    told = {name: value for name, value in settings.items() if name != "history"}
    return Foretold(_key("python", made_of, told), image_config(told), (ground.ref,))


def _key(kind: str, made_of: object, settings: Mapping[str, Any]) -> str:
    return key("", kind, made_of, json.dumps(settings, sort_keys=True, default=str))
