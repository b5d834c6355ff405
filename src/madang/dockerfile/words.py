"""Words of a Dockerfile: variables, quotes and escapes. Pure.

In: text, the variables, the escape character. Out: the text with its variables replaced and its quotes taken off
(`expand`), the same split into words (`split`), or the words as they are written (`fields`). The forms of `${}` are
BuildKit's: `:-` `-` `:+` `+` `:?` `?` `#` `##` `%` `%%` `/` `//`. ValueError says what cannot be read; `expanded` says
it as `Refused`, with the line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from madang.dockerfile.refusal import Refused
from madang.dockerfile.trims import replaced, without_prefix, without_suffix

SPECIAL = "@*#?-$!0"  # one-letter names of the shell
END = ""


def expand(text: str, env: Mapping[str, str], escape: str = "\\", *, quotes: bool = True) -> str:
    """`quotes=False` is for heredocs, in which quotes are text."""
    return Reader(text, env, escape, quotes).until(END)[0]


def split(text: str, env: Mapping[str, str], escape: str = "\\") -> list[str]:
    """Words after expansion: spaces that came out of a variable separate words, quoted ones don't."""
    return Reader(text, env, escape).until(END)[1]


@dataclass
class Words:
    done: list[str] = field(default_factory=list)
    word: str = ""

    def text(self, text: str) -> None:
        for char in text:
            if not char.isspace():
                self.word += char
            elif self.word:
                self.end()

    def raw(self, text: str) -> None:
        self.word += text

    def end(self) -> list[str]:
        if self.word:
            self.done.append(self.word)
        self.word = ""
        return self.done


class Reader:
    """Reads once from left to right; `raw` keeps escape characters, as patterns need them."""

    def __init__(self, text: str, env: Mapping[str, str], escape: str, quotes: bool = True) -> None:
        self.text, self.env, self.escape, self.quotes = text, env, escape, quotes
        self.at, self.raw = 0, False

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def next(self) -> str:
        char = self.peek()
        self.at += 1
        return char

    def until(self, stop: str, raw: bool = False) -> tuple[str, list[str]]:
        outer, self.raw = self.raw, raw
        try:
            return self.read(stop)
        finally:
            self.raw = outer

    def read(self, stop: str) -> tuple[str, list[str]]:
        out: list[str] = []
        words = Words()
        while char := self.peek():
            if char == stop:
                self.at += 1
                return "".join(out), words.end()
            if char == "$":
                out.append(self.dollar())
                words.text(out[-1])
            elif self.quotes and char in "'\"":
                out.append(self.single() if char == "'" else self.double())
                words.raw(out[-1])
            elif char == self.escape:
                out.append(self.escaped())
                words.raw(out[-1])
            else:
                out.append(self.next())
                words.text(out[-1])
        if stop:
            raise ValueError(
                f"syntax error: missing '{stop}' in ${{}}" if stop == "/" else f"syntax error: missing '{stop}'"
            )
        return "".join(out), words.end()

    def escaped(self) -> str:
        kept = self.next() if self.raw else self.next()[:0]
        return kept + self.next()

    def single(self) -> str:
        start = self.at + 1
        end = self.text.find("'", start)
        if end < 0:
            raise ValueError("unexpected end of statement while looking for matching single-quote")
        self.at = end + 1
        return self.text[start:end]

    def double(self) -> str:
        self.at += 1
        out: list[str] = []
        while char := self.peek():
            if char == '"':
                self.at += 1
                return "".join(out)
            if char == "$":
                out.append(self.dollar())
                continue
            self.at += 1
            if char == self.escape:
                if self.raw:
                    out.append(char)
                if not self.peek():
                    break
                if self.peek() in ('"', "$", self.escape):
                    char = self.next()
            out.append(char)
        raise ValueError("unexpected end of statement while looking for matching double-quote")

    def dollar(self) -> str:
        self.at += 1
        if self.peek() != "{":
            name = self.name()
            return self.env.get(name, "") if name else "$"
        self.at += 1
        if not self.peek():
            raise ValueError("syntax error: missing '}'")
        if self.peek() in "{}:":
            raise ValueError("syntax error: bad substitution")
        return self.substitution(self.name())

    def name(self) -> str:
        start = self.at
        if self.peek().isdigit():
            while self.peek().isdigit():
                self.at += 1
        elif self.peek() and self.peek() in SPECIAL:
            self.at += 1
        else:
            while (char := self.peek()) and (char.isalpha() or char.isdigit() or char == "_"):
                self.at += 1
        return self.text[start : self.at]

    def substitution(self, name: str) -> str:
        sign = self.next()
        value = self.env.get(name)
        if sign == "}":
            return value or ""
        if sign == "/":
            everywhere = self.peek() == "/"
            self.at += everywhere
            pattern, by = self.until("/", raw=True)[0], self.until("}", raw=True)[0]
            return replaced(value or "", pattern, by, everywhere)
        also_empty = sign == ":"
        form = self.next() if also_empty else sign
        if not form or form not in "+-?#%":
            raise ValueError(f"unsupported modifier ({':' * also_empty}{form}) in substitution")
        word = self.until("}", raw=form in "#%")[0]
        missing = value is None or (also_empty and not value)
        if form in "#%":
            longest = word.startswith(form)
            trim = without_prefix if form == "#" else without_suffix
            return trim(value or "", word[longest:], longest)
        if form == "?" and missing:
            how = "is not allowed to be unset" if value is None else "is not allowed to be empty"
            raise ValueError(f"{name}: {word or how}")
        if form == "+":
            return "" if missing else word
        return word if form == "-" and missing else value or ""


def fields(text: str, escape: str = "\\") -> list[str]:
    """The words as they stand, quotes and escapes included; a quoted space doesn't separate."""
    words, word, quote, at, begun = [], "", "", 0, False
    while at < len(text):
        char = text[at]
        at += 1
        if not quote and char.isspace():
            if begun:
                words.append(word)
            word, begun = "", False
            continue
        if char == escape and quote != "'":
            if at == len(text):
                break  # nothing follows: it escapes nothing
            char += text[at]
            at += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        word, begun = word + char, True
    return [*words, word] if begun else words


def expanded(text: str, env: Mapping[str, str], escape: str, line: int, *, quotes: bool = True) -> str:
    try:
        return expand(text, env, escape, quotes=quotes)
    except ValueError as error:
        raise Refused(line, f'failed to process "{text}": {error}') from error
