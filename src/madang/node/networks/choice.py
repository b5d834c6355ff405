"""Which network this machine gets: bridge where it works, else loopback, with the reasons for `madang status`.

In: the wish, if there is one. Out: a `Choice`; then, once the addresses are claimed, the `Network`. And the sweep of
what dead courtyards have left on this machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from madang.node.networks import bridge, claims
from madang.node.networks.bridge import BridgeNetwork
from madang.node.networks.loopback import LoopbackNetwork
from madang.node.runtimes import cgroup
from madang.node.runtimes.runtime import Ability
from madang.ports.settings import Addresses, NetworkName


@dataclass(frozen=True, slots=True)
class Choice:
    network: NetworkName
    abilities: tuple[Ability, ...]


async def choose(wanted: NetworkName | None = None) -> Choice:
    """OSError where what is wanted can't work here."""
    if wanted == "loopback":
        return Choice("loopback", (Ability("bridge", False, "loopback was asked for"), Ability("loopback", True)))
    able = await bridge.able()
    if wanted == "bridge" and not able.works:
        raise OSError(1, f"the bridge network cannot work here: {able.why_not}")
    return Choice("bridge" if able.works else "loopback", (able, Ability("loopback", True)))


def build(id: str, addresses: Addresses, home: Path) -> BridgeNetwork | LoopbackNetwork:
    if addresses.network == "bridge":
        return BridgeNetwork(id, addresses, home)
    return LoopbackNetwork(addresses, home)


async def sweep(folders: Sequence[Path] = claims.FOLDERS) -> list[str]:
    """Take down what dead courtyards left: their ids."""
    swept = []
    for kept in claims.sweep_dead(folders):
        if kept.addresses.network == "bridge":
            await bridge.destroy(kept.id, kept.addresses)
        cgroup.sweep(kept.id)
        swept.append(kept.id)
    return swept
