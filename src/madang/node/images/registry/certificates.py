"""Whom a registry's certificate must be signed by: this machine's authorities, and those kept for this registry alone.

In: the registry's host and port. Out: a TLS context. The folders are docker's and podman's: `certs.d/HOST:PORT/` with
`*.crt` (authorities) and `NAME.cert` with `NAME.key` (who we are).
"""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

WAYS = (
    "its certificate is signed by no authority that is known here: put the authority's certificate into "
    "{folder}/ca.crt, or name a file of authorities with SSL_CERT_FILE"
)


class BadCertificate(Exception):
    """A file that was meant to be one is none."""


def folders(netloc: str, environment: Mapping[str, str]) -> list[Path]:
    home = Path(environment.get("HOME") or "/")
    tops = (home / ".config/containers", home / ".docker", Path("/etc/containers"), Path("/etc/docker"))
    return [top / "certs.d" / netloc for top in tops]


def context(netloc: str, environment: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    made = ssl.create_default_context()
    for folder in folders(netloc, environment):
        try:
            for path in sorted(folder.glob("*.crt")):
                made.load_verify_locations(path)
            for path in sorted(folder.glob("*.cert")):
                made.load_cert_chain(path, path.with_suffix(".key"))
        except OSError as error:  # ssl.SSLError is one
            raise BadCertificate(f"{path}: {error.strerror or error}") from error
    return made


def untrusted(error: BaseException, netloc: str, environment: Mapping[str, str] = os.environ) -> str:
    """What to do, where that is why; else nothing. The reason stands at the bottom of what wraps it."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, ssl.SSLCertVerificationError):
            why = below.verify_message
            if why.startswith(("self-signed", "self signed", "unable to get")):
                return WAYS.format(folder=folders(netloc, environment)[1])
            return f"its certificate does not hold: {why}"
        below = below.__cause__ or below.__context__
    return ""
