"""`madang image ls`, `inspect` and `history`."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from madang.cli.images import opened
from madang.cli.options import DEFAULT, Name, Output
from madang.cli.screen import AS_JSON, plain, print_json, table

if TYPE_CHECKING:
    from madang.node.images.image import Image
    from madang.node.images.store import Store

WIDTH = 80  # of a step, unless --no-trunc


def ls(
    envs: Annotated[
        bool, typer.Option("--envs", help="Which digest runs where: courtyard, environment, service, since when.")
    ] = False,
    name: Name = DEFAULT,
    output: Output = "",
) -> None:
    """List the images that are here, by name; or, with --envs, what runs of them in all courtyards.

    Example: `madang image ls --envs`
    """
    from madang.node.images.reference import parse

    store = opened.store(name)
    if envs:
        ls_envs(store, output)
        return
    images = store.all()
    if output == AS_JSON:
        print_json([row(store, i) for i in images])
        return
    lines = []
    for image in images:
        users = len(store.holders(image.digest))
        for ref in image.refs or ("",):
            short = parse(ref).familiar if ref else "<none>:<none>"
            repository, _, tag = short.rpartition(":") if "@" not in short else (short.partition("@")[0], "", "<none>")
            size = opened.size(image.size)
            lines.append((repository, tag, image.id[7:19], image.created[:10], image.platform, size, str(users or "-")))
    table(("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "PLATFORM", "SIZE", "USED BY"), sorted(lines))


def ls_envs(store: "Store", output: str) -> None:
    from madang.cli.images import environments

    def digest_of(image_id: str) -> str:
        image = store.find(image_id)
        return image.digest if image is not None else image_id

    found = environments.everywhere(digest_of)
    if output == AS_JSON:
        print_json(environments.rows(found))
    else:
        environments.show(found)


def row(store: "Store", image: "Image") -> dict[str, Any]:
    return {
        "id": image.id, "digest": image.digest, "refs": image.refs, "platform": image.platform,
        "created": image.created, "size": image.size, "usedBy": store.holders(image.digest),
    }  # fmt: skip


def inspect(images: opened.Names, name: Name = DEFAULT) -> None:
    """Print all that is known of images, as JSON in the form that `docker image inspect` has.

    Example: `madang image inspect redis:7`
    """
    store = opened.store(name)
    print_json([document(store, opened.image(store, text)) for text in images])


def document(store: "Store", image: "Image") -> dict[str, Any]:
    from madang.node.images.reference import parse

    config = json.loads(store.layout.blob(image.id).read_bytes())
    return {
        "Id": image.id,
        "Digest": image.digest,
        "RepoTags": [parse(r).familiar for r in image.refs],
        "RepoDigests": sorted({f"{parse(r).name}@{image.digest}" for r in image.refs}),
        "Created": image.created,
        "Author": config.get("author", ""),
        "Architecture": config.get("architecture", ""),
        "Os": config.get("os", ""),
        "Config": config.get("config") or {},
        "Size": image.size,
        "RootFS": {"Type": "layers", "Layers": [layer.diff_id for layer in image.layers]},
        "Layers": [
            {"Digest": layer.digest, "DiffID": layer.diff_id, "Size": layer.size, "Folder": str(layer.folder)}
            for layer in image.layers
        ],
        "UsedBy": store.holders(image.digest),
    }


def history(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A name, a digest, or the first digits of an id.")],
    no_trunc: Annotated[bool, typer.Option("--no-trunc", help="Print each step whole.")] = False,
    name: Name = DEFAULT,
    output: Output = "",
) -> None:
    """Show the layers of an image, the application's on top, the base at the bottom, and the step that made each.

    Example: `madang image history redis:7`
    """
    from madang.node.images.history import rows, shown

    found = rows(opened.image(opened.store(name), image))
    if output == AS_JSON:
        print_json(
            [
                {
                    "group": r.group, "createdBy": r.step.created_by, "comment": r.step.comment,
                    "created": r.step.created, "size": r.layer.unpacked_bytes if r.layer else 0,
                    "layer": r.layer.diff_id if r.layer else None,
                }
                for r in found
            ]
        )  # fmt: skip
        return
    lines, last = [], ""
    for r in reversed(found):
        step = shown(r.step.created_by) or r.step.comment or "(unknown)"
        step = step if no_trunc or len(step) <= WIDTH else step[: WIDTH - 3] + "..."
        layer = r.layer.diff_id[7:19] if r.layer else "-"
        size = opened.size(r.layer.unpacked_bytes) if r.layer else "-"
        lines.append((r.group if r.group != last else "", layer, size, plain(step)))
        last = r.group
    table(("GROUP", "LAYER", "SIZE", "STEP"), lines)
