"""The one way in which a command says no: a message that says what to do, and an exit code."""


class Refusal(Exception):
    """`code` 1: it was tried and failed; 2: the question itself was wrong."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
