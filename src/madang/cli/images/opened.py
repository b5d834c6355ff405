"""The images of a user, opened for a command; what a person typed, found or refused."""

from typing import TYPE_CHECKING, Annotated

import typer

from madang.cli import courtyards
from madang.cli.refusal import Refusal

if TYPE_CHECKING:
    from madang.node.images.image import Image
    from madang.node.images.store import Store

Names = Annotated[
    list[str],
    typer.Argument(metavar="IMAGE...", help="Names, digests, or the first digits of ids.", show_default=False),
]
UNITS = ("B", "kB", "MB", "GB", "TB")


def store(name: str) -> "Store":
    from madang.node.images.place import opened

    home = courtyards.find(name).home
    try:
        home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return opened(home)
    except OSError as error:
        raise Refusal(f"{error.filename}: {error.strerror}: images cannot be kept there; set MADANG_HOME") from error


def image(images: "Store", text: str) -> "Image":
    from madang.node.images.lookup import named

    try:
        return named(images, text)
    except ValueError as error:
        raise Refusal(str(error)) from error


def bytes_of(text: str, option: str) -> int:
    """`2GB`, `500 MB`, `1024`."""
    number = text.strip().rstrip("kKMGB ")
    unit = text.strip()[len(number) :].strip().rstrip("B").upper()
    try:
        return int(float(number) * 1000 ** ("", "K", "M", "G").index(unit))
    except (ValueError, OverflowError) as error:
        raise Refusal(f"{option} {text}: expected a size such as 500MB or 2GB", code=2) from error


def size(count: float) -> str:
    """Decimal, as docker and podman write it."""
    for unit in UNITS[:-1]:
        if count < 999.5:  # of which three digits make 1000
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} {UNITS[-1]}"
