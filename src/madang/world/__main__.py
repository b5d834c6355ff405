"""`python -m madang.world --seeds N [--seed S]`: run worlds, tell of those that broke, count what struck.

In: numbers. Out: a line for each broken seed with its shortest story, the tally of all faults; exit code 1 where a
seed broke.
"""

import sys

from madang.world.command import main

if __name__ == "__main__":
    sys.exit(main())
