"""The way out of the bridge: forwarding, and nftables rules that give pods the machine's address outside.

In: the courtyard's id and addresses. Out: a table named after the id; why there is none, where that can't be.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from madang.porch import standing
from madang.ports.settings import Addresses

FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
BEFORE = Path("/run/madang/ip_forward")


def before() -> Path:
    """What forwarding was before the first courtyard switched it on."""
    return Path(standing.folder()) / BEFORE.name if standing.inside() else BEFORE


PLACES = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin"  # PATH of an ordinary user lacks sbin


def table(id: str) -> str:
    return f"madang_{id}"


def ruleset(id: str, addresses: Addresses) -> str:
    """Made anew each time: adding and deleting first makes the rest hold whatever was there."""
    name, pods = table(id), addresses.pod_cidr
    return (
        f"add table ip {name}\n"
        f"delete table ip {name}\n"
        f"table ip {name} {{\n"
        f"  chain out {{\n"
        f"    type nat hook postrouting priority 100;\n"
        f'    ip saddr {pods} ip daddr != {pods} oifname != "{addresses.device}" masquerade\n'
        f"  }}\n"
        f"}}\n"
    )


def open_way(id: str, addresses: Addresses, *, several: bool = False) -> str:
    """Empty, or why pods can't reach the outside. `several`: nodes reach one another by forwarding as well, so that is
    switched on whatever else there is."""
    nft = shutil.which("nft", path=PLACES)
    if nft is None:
        closed = forward() if several else ""
        return closed or "no nft on PATH: install nftables so that pods reach addresses outside this machine"
    done = subprocess.run([nft, "-f", "-"], input=ruleset(id, addresses), capture_output=True, text=True, check=False)
    if done.returncode:
        return (forward() if several else "") or f"nft refused: {done.stderr.strip()}"
    if closed := forward():
        return closed
    listed = subprocess.run([nft, "list", "table", "ip", "filter"], capture_output=True, text=True, check=False)
    return dropped(listed.stdout, addresses.device + "+" if several else addresses.device)


def forward() -> str:
    """Switches forwarding on. Empty, or why that can't be."""
    try:
        with forwarding():
            if FORWARD.read_text().strip() == "0":
                before().write_text("0\n")
                FORWARD.write_text("1\n")
    except OSError as error:
        return f"{FORWARD} cannot be set to 1: {error.filename}: {error.strerror}"
    return ""


@contextmanager
def forwarding() -> Iterator[None]:
    """One at a time looks whether somebody has a bridge and switches forwarding: who opens the way has made its bridge
    before, so that who takes down what it believes to be the last one sees it, or comes first."""
    folder = before().parent
    while True:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        try:
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            if same(folder, fd):
                yield
                return
        finally:
            os.close(fd)


def same(folder: Path, fd: int) -> bool:
    """Who went down last takes the folder away."""
    try:
        return folder.stat().st_ino == os.fstat(fd).st_ino
    except FileNotFoundError:
        return False


def dropped(table_text: str, device: str) -> str:
    """What another program's firewall keeps from pods. Its rules come on top of ours: what they drop, no rule of
    ours can let through, so the ways to open it are told."""
    told = []
    for chain, what, ways in (
        ("FORWARD", "pods reach nothing outside this machine", ("FORWARD -i", "FORWARD -o")),
        ("INPUT", "pods reach no service", ("INPUT -i",)),
    ):
        start = table_text.find(f"chain {chain} {{")
        if start >= 0 and "policy drop" in table_text[start : table_text.find("}", start)]:
            opened = "; ".join(f"iptables -I {way} {device} -j ACCEPT" for way in ways)
            told.append(f"{what} unless the firewall allows it, whose policy for {chain} is drop: {opened}")
    return "; ".join(told)


def close_way(id: str, *, last: bool) -> None:
    """`last`: no other courtyard has a bridge, so forwarding goes back to what it was. Under `forwarding`."""
    nft = shutil.which("nft", path=PLACES)
    if nft is not None:
        # the second: UDP ports, which the gateway writes
        names = (table(id), f"{table(id)}_udp")
        command = "".join(f"add table ip {name}\ndelete table ip {name}\n" for name in names)
        subprocess.run([nft, "-f", "-"], input=command, capture_output=True, text=True, check=False)
    if last and before().exists():
        with suppress(OSError):
            FORWARD.write_text(before().read_text())
            before().unlink()
