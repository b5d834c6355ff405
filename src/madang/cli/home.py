"""Where courtyards live on disk. Imports next to nothing: it is asked before a command has been read.

In: the environment. Out: the folder in which each courtyard has one of its own.
"""

import os


def root() -> str:
    if given := os.environ.get("MADANG_HOME"):
        return os.path.join(os.getcwd(), given)
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(state, "madang")
