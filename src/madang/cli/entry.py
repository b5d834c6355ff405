"""The first steps of the `madang` command: what takes long begins before anything else is loaded."""

import sys

from madang.cli import ahead


def main() -> None:
    ahead.begin(sys.argv[1:])
    try:
        from madang.cli.main import main as command

        command()
    finally:
        ahead.drop()
