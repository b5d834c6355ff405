"""What is wrong with a Dockerfile, and where. Raised by everything that reads or plans one."""


class Refused(Exception):
    """`line` counts from 1; 0 where no line is to blame."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"Dockerfile line {line}: {message}" if line else message)
        self.line = line
        self.message = message


class Lacking(Refused):
    """Right in itself, and not to be had here."""
