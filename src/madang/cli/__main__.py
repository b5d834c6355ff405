"""`python -m madang.cli` is `madang`."""

from madang.cli.entry import main

main()
