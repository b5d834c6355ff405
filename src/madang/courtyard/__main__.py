"""The control process: `python -m madang.courtyard --name NAME --home FOLDER`.

What takes long is begun here before the house is loaded. In: its command line. Out: its exit code (`life.py`).
"""

import contextlib
import gc
import os
import sys

from madang.node.runtimes.zygote import Zygote


def main() -> int:
    gc.disable()  # until the house stands (`store/collector.py`): what is loaded is no garbage
    os.chdir("/")
    zygote = Zygote()
    if os.geteuid() == 0:  # else it must be where the control is about to go (`entering`)
        with contextlib.suppress(OSError):  # then whoever needs it first starts it, and says why it cannot
            zygote.ready()  # an interpreter of its own, that is there by the time we are
    try:
        from madang.courtyard.life import main as live

        return live(zygote)
    finally:
        zygote.close()


if __name__ == "__main__":
    sys.exit(main())
