"""The way out of the bridge: forwarding, and nftables rules that give pods the machine's address outside.

In: the courtyard's id and addresses. Out: a table named after the id; why there is none, where that can't be.
"""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from madang.ports.settings import Addresses

FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
BEFORE = Path("/run/madang/ip_forward")  # what it was before the first courtyard switched it on

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


def open_way(id: str, addresses: Addresses) -> str:
    """Empty, or why pods can't reach the outside."""
    nft = shutil.which("nft", path=PLACES)
    if nft is None:
        return "no nft on PATH: install nftables so that pods reach addresses outside this machine"
    done = subprocess.run([nft, "-f", "-"], input=ruleset(id, addresses), capture_output=True, text=True, check=False)
    if done.returncode:
        return f"nft refused: {done.stderr.strip()}"
    try:
        if FORWARD.read_text().strip() == "0":
            BEFORE.write_text("0\n")
            FORWARD.write_text("1\n")
    except OSError as error:
        return f"{FORWARD} cannot be set to 1: {error.strerror}"
    return _dropped(nft, addresses.device)


def _dropped(nft: str, device: str) -> str:
    """Another program's rules come on top of ours: what they drop, no rule of ours can let through."""
    asked = [nft, "list", "chain", "ip", "filter", "FORWARD"]
    chain = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    if "policy drop" not in chain:
        return ""
    return (
        f"the policy of the firewall's FORWARD chain is drop (Docker sets it): "
        f"iptables -I FORWARD -i {device} -j ACCEPT; iptables -I FORWARD -o {device} -j ACCEPT"
    )


def close_way(id: str, *, last: bool) -> None:
    """`last`: no other courtyard has a bridge, so forwarding goes back to what it was."""
    nft = shutil.which("nft", path=PLACES)
    if nft is not None:
        command = f"add table ip {table(id)}\ndelete table ip {table(id)}\n"
        subprocess.run([nft, "-f", "-"], input=command, capture_output=True, text=True, check=False)
    if last and BEFORE.exists():
        with suppress(OSError):
            FORWARD.write_text(BEFORE.read_text())
            BEFORE.unlink()
