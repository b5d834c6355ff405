"""Which network this machine gets: bridge where it works, else loopback, with the reasons for `madang status`.

In: the wish, if there is one. Out: a `Choice`; then, once the addresses are claimed, the `Network`.
"""

from dataclasses import dataclass

from madang.node.networks import bridge
from madang.node.networks.bridge import BridgeNetwork
from madang.node.networks.loopback import LoopbackNetwork
from madang.node.runtimes.runtime import Ability
from madang.ports.settings import NetworkName, Settings


@dataclass(frozen=True, slots=True)
class Choice:
    network: NetworkName
    abilities: tuple[Ability, ...]


async def choose(wanted: NetworkName | None = None, stand: Ability | None = None) -> Choice:
    """`stand`: whether an ordinary user lives in namespaces of one's own, where bridges are one's own. OSError where
    what is wanted can't work here."""
    if wanted == "loopback":
        return Choice("loopback", (Ability("bridge", False, "loopback was asked for"), Ability("loopback", True)))
    able = await bridge.able()
    if stand is not None and not stand.works:
        able = Ability("bridge", False, f"needs root, or a user namespace: {stand.why_not}")
    if wanted == "bridge" and not able.works:
        raise OSError(1, f"the bridge network cannot work here: {able.why_not}")
    return Choice("bridge" if able.works else "loopback", (able, Ability("loopback", True)))


def build(settings: Settings) -> BridgeNetwork | LoopbackNetwork:
    if settings.addresses.network == "bridge":
        return BridgeNetwork(settings.id, settings.addresses, settings.home, settings.nodes)
    return LoopbackNetwork(settings.addresses, settings.home, settings.nodes)
