"""What dead courtyards have left on this machine is taken away by the next that starts.

In: the claims' folders. Out: the ids of those that were swept. As an ordinary user only one's own.
"""

from collections.abc import Sequence
from pathlib import Path

from madang.node.networks import claims
from madang.node.networks.teardown import destroy
from madang.node.runtimes import cgroup


async def sweep(folders: Sequence[Path] = claims.FOLDERS) -> list[str]:
    swept = []
    for kept in claims.sweep_dead(folders):
        if kept.addresses.network == "bridge":
            await destroy(kept.id, kept.addresses)
        cgroup.sweep(kept.id)
        swept.append(kept.id)
    return swept
