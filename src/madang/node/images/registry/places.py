"""Where a registry is asked: its addresses, the mirrors first.

In: the domain of an image, and the setting `MADANG_MIRRORS` (`docker.io=http://127.0.0.1:5000,...`; several for one
domain are tried in their order, the registry itself at last). Out: base addresses. Pure. Without TLS only this machine
is spoken to.
"""

import ipaddress
import re

from madang.node.images.reference import HUB

VARIABLE = "MADANG_MIRRORS"
HUB_HOST = "registry-1.docker.io"
_ADDRESS = re.compile(r"https?://[^/\s?#@]+(/[^\s?#]*)?")


def loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def own(domain: str) -> str:
    if domain == HUB:
        return f"https://{HUB_HOST}"
    host = domain if domain.endswith("]") else domain.rpartition(":")[0] or domain
    return f"{'http' if loopback(host) else 'https'}://{domain}"


def places(domain: str, mirrors: str = "") -> list[str]:
    """ValueError where the setting is wrong."""
    found = []
    for each in filter(None, (m.strip() for m in mirrors.split(","))):
        mirrored, equals, address = each.partition("=")
        if not equals or not _ADDRESS.fullmatch(address):
            raise ValueError(f'{VARIABLE}: expected DOMAIN=http(s)://HOST, found "{each}"')
        if mirrored == domain:
            found.append(address.rstrip("/"))
    return [*dict.fromkeys([*found, own(domain)])]
