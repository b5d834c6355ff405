"""The way out of the namespaces: a program that carries packets between them and this machine's own sockets.

In: which programs are there. Out: command lines, in the order in which they are tried. Pure. Nothing on this machine's
loopback is reached by them from inside, and nothing inside from outside.
"""

from __future__ import annotations

PLACES = "/usr/bin:/usr/local/bin:/bin:/usr/sbin:/sbin"
MISSING = (
    "neither pasta nor slirp4netns is on PATH: install passt or slirp4netns so that pods reach addresses outside this "
    "machine"
)


def pasta(program: str, user: str, net: str) -> list[str]:
    closed = ["-t", "none", "-u", "none", "-T", "none", "-U", "none"]
    return [program, "--foreground", "--config-net", "--no-map-gw", *closed, "--userns", user, "--netns", net]


def slirp(program: str, user: str, net: str) -> list[str]:
    return [
        program, "--configure", "--mtu=65520", "--disable-host-loopback", f"--userns-path={user}",
        "--netns-type=path", net, "tap0",
    ]  # fmt: skip


WAYS = (("pasta", pasta), ("slirp4netns", slirp))  # pasta keeps this machine's address, and is the faster
