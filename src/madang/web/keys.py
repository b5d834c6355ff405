"""Who may come in: one-time links, the sessions that they are exchanged for, the tokens of a session's changes.

In: a secret kept in the courtyard's home (0600): whoever can read it may sign, so that a command makes a link without
asking anybody. Out: words that only this courtyard could have signed. Pure but for the file of the secret.

A page of another port of 127.0.0.1 gets the same host's cookies, so the cookie is bound to a path that nobody can
guess (`path`), and a change needs a token that stands in the page alone.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

FILE = "dashboard.key"
LINK_S = 15 * 60
SESSION_S = 30 * 24 * 3600
COOKIE = "madang"


@dataclass(frozen=True, slots=True)
class Keys:
    secret: bytes

    @classmethod
    def at(cls, home: Path) -> "Keys":
        """Made on first use; whole or not at all."""
        path = home / FILE
        if not path.exists() or len(path.read_bytes()) < 32:
            fresh = path.with_name(f".{FILE}.{os.getpid()}")
            fresh.unlink(missing_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(32))
            fresh.replace(path)
        return cls(path.read_bytes())

    @property
    def path(self) -> str:
        """The path below which the dashboard lives; ends with a slash."""
        return f"/{self._mac('path')[:12]}/"

    def link(self, now_s: float) -> str:
        """One word, good once and for a quarter of an hour."""
        return self._signed("link", f"{int(now_s) + LINK_S}.{secrets.token_urlsafe(9)}")

    def link_of(self, word: str, now_s: float) -> tuple[str, int] | None:
        """(its nonce, when it is over) of a link that was signed here and is not too old."""
        body = self._opened("link", word)
        if body is None:
            return None
        until, _, nonce = body.partition(".")
        return (nonce, int(until)) if int(until) >= now_s else None

    def session(self, now_s: float) -> str:
        return self._signed("session", f"{int(now_s) + SESSION_S}.{secrets.token_urlsafe(18)}")

    def session_holds(self, word: str, now_s: float) -> bool:
        body = self._opened("session", word)
        return body is not None and int(body.partition(".")[0]) >= now_s

    def token(self, session: str) -> str:
        """What each changing request of a session carries, and no other site can know."""
        return self._mac(f"token.{session}")

    def token_holds(self, session: str, token: str) -> bool:
        return hmac.compare_digest(self.token(session).encode(), token.encode())

    def _signed(self, use: str, body: str) -> str:
        return f"{body}.{self._mac(f'{use}.{body}')}"

    def _opened(self, use: str, word: str) -> str | None:
        body, _, mac = word.rpartition(".")
        if not body or not hmac.compare_digest(self._mac(f"{use}.{body}").encode(), mac.encode()):
            return None
        return body

    def _mac(self, text: str) -> str:
        digest = hmac.digest(self.secret, text.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def link(home: Path, base: str, now_s: float) -> str:
    """The whole address of a fresh one-time link; `base` is the dashboard's address."""
    return f"{base}enter/{Keys.at(home).link(now_s)}"


class Used:
    """Links that were exchanged, also before the control process started anew: nonces until they are over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._until: dict[str, int] = {}
        for line in path.read_text().splitlines() if path.exists() else ():
            nonce, _, until = line.partition(" ")
            if until.isdigit():
                self._until[nonce] = int(until)

    def take(self, nonce: str, until: int, now_s: float) -> bool:
        """Whether it was fresh; from now on it is not."""
        self._until = {n: u for n, u in self._until.items() if u >= now_s}
        if nonce in self._until:
            return False
        self._until[nonce] = until
        with contextlib.suppress(OSError):  # a full disk: until the control process ends it is remembered all the same
            self._keep()
        return True

    def _keep(self) -> None:
        aside = self._path.with_name(f".{self._path.name}.new")
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("".join(f"{n} {u}\n" for n, u in self._until.items()))
        aside.replace(self._path)
