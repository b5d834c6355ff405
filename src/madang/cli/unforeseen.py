"""What a person reads when a command meets something that nobody foresaw: a sentence, never a traceback.

In: the exception that came up to the top. Out: the sentence; where the fault is Madang's own, the details go to a
file that can be sent along.
"""

import errno
import sys
import time
import traceback
from pathlib import Path

from madang import __version__
from madang.cli.courtyards import state_root
from madang.ports.errors import StatusError

FILE = "errors.log"


def explain(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, StatusError):
        return error.message
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        where = error.filename or state_root()
        return f"{where}: the disk is full: free space on its file system and say it again; what runs goes on"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    kept = keep(error)
    where = f"the details are in {kept}" if kept else "the details could not be written down"
    return f"Madang made a mistake of its own ({type(error).__name__}: {error}); {where}; please report them"


def keep(error: BaseException) -> Path | None:
    path = state_root() / FILE
    title = f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} Madang {__version__}: {' '.join(sys.argv[1:])}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("a") as file:
            file.write(f"{title}\n{''.join(traceback.format_exception(error))}\n")
    except OSError:
        return None
    return path
