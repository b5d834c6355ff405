"""What dead courtyards have left on this machine is taken away by the next that starts.

In: the claims' folders. Out: the ids of those that were swept. As an ordinary user only one's own.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from madang.node.networks import claims, remains
from madang.node.networks.teardown import destroy
from madang.node.runtimes import cgroup
from madang.node.volumes.volumes import sweep_memory


async def sweep(folders: Sequence[Path] = claims.FOLDERS) -> list[str]:
    swept = []
    for kept in claims.sweep_dead(folders):
        if kept.uid == os.getuid():
            await asyncio.to_thread(remains.end, Path(kept.home))
        # Only root has bridges: what another user's file says of one is no order to root.
        if kept.addresses.network == "bridge" and kept.uid == os.getuid():
            await destroy(kept.id, kept.addresses)
        cgroup.sweep(kept.id)
        if kept.uid == os.getuid():
            sweep_memory(kept.id)
        swept.append(kept.id)
    return swept
