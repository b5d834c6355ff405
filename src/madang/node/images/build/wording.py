"""How a step is called while it is done: one line of bounded length. Pure."""

from madang.dockerfile.instructions import Command

LONGEST = 160


def shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def title(one: Command, words: tuple[str, ...]) -> str:
    if one.heredocs:
        lines = one.heredocs[0].content.strip().split("\n")
        return shortened(f"RUN {one.words[0]} ({lines[0]}{'...' if len(lines) > 1 else ''})")
    return shortened(f"RUN {' '.join(words)}")
