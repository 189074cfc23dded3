"""What may go wrong for a client."""


class Refused(Exception):
    """The server answered, and it was not what was asked for."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(Exception):
    """There was no answer, or not all of it."""


class Changed(Exception):
    """The bytes that arrived are not those that were there."""


class WhoseFiles(Exception):
    """There is no such account, or several and none was named."""
