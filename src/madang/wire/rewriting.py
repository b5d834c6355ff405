"""What a proxied page says of its own server, said as its reader sees it: paths get the proxy's path in front (pure).

In: HTML or a `Location`, the path under which the server is reached. Out: the same, with absolute paths rewritten. What
names another host, what is relative, and what has the prefix already stays (apimachinery util/proxy).
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

# The attributes that hold an address, by tag.
_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "a": ("href",), "applet": ("codebase",), "area": ("href",), "audio": ("src",), "base": ("href",),
    "blockquote": ("cite",), "body": ("background",), "button": ("formaction",), "command": ("icon",),
    "del": ("cite",), "embed": ("src",), "form": ("action",), "frame": ("longdesc", "src"), "head": ("profile",),
    "html": ("manifest",), "iframe": ("longdesc", "src"), "img": ("longdesc", "src", "usemap"),
    "input": ("src", "usemap", "formaction"), "ins": ("cite",), "link": ("href",),
    "object": ("classid", "codebase", "data", "usemap"), "q": ("cite",), "script": ("src",), "source": ("src",),
    "video": ("poster", "src"),
}  # fmt: skip
_TAG = re.compile(r"<([a-zA-Z]+)(\s[^<>]*)>")
_VALUE = re.compile(r"""(\s)([a-zA-Z]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""")


def page(html: str, prefix: str) -> str:
    return _TAG.sub(lambda tag: _tag(tag, prefix), html)


def _tag(tag: re.Match[str], prefix: str) -> str:
    names = _ATTRIBUTES.get(tag[1].lower())
    if names is None:
        return tag[0]

    def value(found: re.Match[str]) -> str:
        if found[2].lower() not in names:
            return found[0]
        text = found[4]
        quote = text[0] if text[0] in "\"'" else ""
        return f"{found[1]}{found[2]}{found[3]}{quote}{address(text.strip(quote or None), prefix)}{quote}"

    return f"<{tag[1]}{_VALUE.sub(value, tag[2])}>"


def address(url: str, prefix: str, host: str = "") -> str:
    """`host`: whose address this may be besides (HOST:PORT)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if (parts.netloc and parts.netloc != host) or not parts.path.startswith("/"):
        return url
    rest = url.split(parts.netloc, 1)[1] if parts.netloc else url
    return rest if parts.path == prefix or parts.path.startswith(f"{prefix}/") else prefix + rest
