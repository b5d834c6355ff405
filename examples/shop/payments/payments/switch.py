"""The switch, from inside an instance: `python -m payments.switch slow`."""

import sys

from payments.api import MODES, mode, turn

if sys.argv[1:] and sys.argv[1] not in MODES:
    sys.exit(f"expected one of {', '.join(MODES)}, found {sys.argv[1]!r}")
if sys.argv[1:]:
    turn(sys.argv[1])
print(MODES[mode()])
