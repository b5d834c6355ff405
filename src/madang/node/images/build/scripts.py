"""RUN with heredocs: what the shell is given. Pure.

In: a RUN. Out: its words, and files that are to stand in `/dev/pipes` while it runs. A RUN that is one heredoc alone
is its text (a program of its own where it begins with `#!`); in a longer line the shell reads its heredocs itself.
"""

from madang.dockerfile.instructions import Command
from madang.dockerfile.parsing import heredoc

FOLDER = "/dev/pipes"


def script(one: Command) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    if not one.heredocs or not one.shell:
        return one.words, ()
    first = one.heredocs[0]
    if heredoc(one.words[0]) is None:
        bodies = "".join(f"\n{h.content}{h.name}" for h in one.heredocs)
        return (one.words[0] + bodies,), ()
    if first.text().startswith("#!"):
        return (f"{FOLDER}/{first.name}",), ((first.name, first.text()),)
    return (first.text(),), ()
