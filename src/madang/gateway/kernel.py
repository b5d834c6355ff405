"""The hand on the kernel's packet filter: has `datagrams` done.

In: the rows that are wanted. Out: one nftables table that carries the courtyard's id, replaced as a whole in one step;
flows whose instance is gone are forgotten, so that their callers reach another; why it can't be, where there is no nft.
What stands there goes on when the control is killed, and is taken down with the network.
"""

import asyncio
import logging
import shutil
import subprocess
from collections.abc import Sequence
from typing import Protocol

from madang.gateway import datagrams, flows, hairpin
from madang.gateway.desired import Datagram
from madang.ports.settings import Settings

log = logging.getLogger(__name__)
PLACES = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin"  # PATH of an ordinary user lacks sbin


def table_name(id: str) -> str:
    return f"madang_{id}_udp"


class KernelLike(Protocol):
    why_not: str

    async def apply(self, wanted: Sequence[Datagram]) -> None: ...


class Nothing:
    """In a simulated world no datagram is carried."""

    why_not = ""

    async def apply(self, wanted: Sequence[Datagram]) -> None:
        return


class Kernel:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stands: tuple[Datagram, ...] | None = None  # None: what an earlier control left
        self.why_not = ""

    async def apply(self, wanted: Sequence[Datagram]) -> None:
        """Nothing is asked where nothing is wanted and nothing stands."""
        if self._settings.addresses.network != "bridge" or tuple(wanted) == self._stands:
            return
        if not wanted and self._stands is None and not self._settings.run.joinpath(MARK).exists():
            self._stands = ()
            return
        said = self.why_not
        try:
            self.why_not = await asyncio.to_thread(self._write, tuple(wanted))
        except OSError as error:  # a full disk, say
            self.why_not = str(error)
        if self.why_not:
            if self.why_not != said:  # it is tried again, and again
                log.warning("UDP ports are not carried: %s", self.why_not)
            return
        gone = await asyncio.to_thread(flows.forget, tuple(wanted), self._stands or ())
        if gone:
            log.info("forgot %d UDP flows whose instance is another now", gone)
        self._stands = tuple(wanted)

    def _write(self, wanted: tuple[Datagram, ...]) -> str:
        nft = shutil.which("nft", path=PLACES)
        if nft is None:
            return "no nft on PATH: install nftables"
        text = datagrams.table(table_name(self._settings.id), wanted, self._settings)
        (self._settings.run / MARK).touch()
        hairpin.allow(self._settings, sorted({address for row in wanted for address, _ in row.to}))
        done = subprocess.run([nft, "-f", "-"], input=text, capture_output=True, text=True, check=False)
        return f"nft refused: {done.stderr.strip()[:300]}" if done.returncode else ""


MARK = "datagrams"  # in `run`: a table may stand
