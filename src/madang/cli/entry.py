"""The first steps of the `madang` command: what takes long begins before anything else is loaded."""

import gc
import sys

from madang.cli import ahead


def main() -> None:
    ahead.begin(sys.argv[1:])
    try:
        gc.disable()
        from madang.cli.main import main as command

        gc.freeze()  # what is loaded is no garbage, and need not be looked through
        gc.enable()
        command()
    finally:
        ahead.drop()
