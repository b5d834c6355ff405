"""The image that a person means: by name, by digest, or by the first digits of its id.

In: a store and what was typed. Out: the image, or `Unknown` with what else there is.
"""

import re
from difflib import get_close_matches

from madang.node.images.image import Image
from madang.node.images.reference import parse
from madang.node.images.store import Store

_DIGITS = re.compile(r"(sha256:)?[0-9a-f]{4,64}")


class Unknown(ValueError):
    pass


def named(store: Store, text: str) -> Image:
    try:
        found = store.find(text)
    except ValueError:
        if not _DIGITS.fullmatch(text):
            raise
        found = None
    if found is not None:
        return found
    images = store.all()
    if _DIGITS.fullmatch(text):
        start = "sha256:" + text.removeprefix("sha256:")
        begun = [i for i in images if i.id.startswith(start) or i.digest.startswith(start)]
        if len(begun) == 1:
            return begun[0]
        if begun:
            raise Unknown(f"{text}: several images begin so: {', '.join(i.id[7:23] for i in begun)}")
    known = sorted(parse(ref).familiar for i in images for ref in i.refs)
    close = get_close_matches(text, known, n=3) or known[:5]
    hint = f"did you mean {' or '.join(close)}?" if close else "there are none yet: `madang image load FILE`"
    raise Unknown(f"image {text!r} is not here; {hint}")
