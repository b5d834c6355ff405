"""What Go's JSON scanner says about bytes that are no JSON.

In: the body of a request. Out: the sentence that stands in the API's 400, and the short form of the body behind it.
Only the refusal comes here, so a second, slower parse is no loss.
"""

import json

_SUMMARY = 30  # bytes of the body that a message shows
_SAID = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Extra data": "after top-level value",
    "Invalid control character at": "in string literal",
    "Invalid \\escape": "in string escape code",
}


def parse_fault(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    try:
        json.loads(text)
    except json.JSONDecodeError as fault:
        at = fault.pos
        if fault.msg.startswith("Illegal trailing comma"):
            at = next((i for i in range(at + 1, len(text)) if not text[i].isspace()), at)
        if at >= len(text.rstrip()) or fault.msg.startswith("Unterminated string"):
            return "unexpected end of JSON input"
        where = _SAID.get(fault.msg.removesuffix(": ")) or _after_element(text, at)
        return f"invalid character {_quoted(text[at])} {where}"
    except RecursionError:
        return "exceeded max depth"
    return "invalid character in string literal"


def _after_element(text: str, at: int) -> str:
    """Whether a missing comma is missing in a list or in an object."""
    depth: list[str] = []
    inside = escaped = False
    for letter in text[:at]:
        if inside:
            inside, escaped = letter != '"' or escaped, letter == "\\" and not escaped
        elif letter == '"':
            inside = True
        elif letter in "[{":
            depth.append(letter)
        elif letter in "]}":
            depth.pop()
    return "after array element" if depth and depth[-1] == "[" else "after object key:value pair"


def _quoted(letter: str) -> str:
    return {"'": r"'\''", "\n": r"'\n'", "\t": r"'\t'", "\r": r"'\r'"}.get(letter, f"'{letter}'")


def summary(body: bytes) -> str:
    if not body:
        return "<empty>"
    short = body[:_SUMMARY]
    shown = short.decode("utf-8", "replace") if body[:1] == b"{" else short.hex()
    return shown + (" ..." if len(body) > _SUMMARY else "")
