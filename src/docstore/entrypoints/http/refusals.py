"""What HTTP alone can get wrong; everything else that is refused is a domain error."""

from docstore.domain.errors import DocstoreError, InvalidInput


class TooManyParts(InvalidInput):
    """A form of very many parts costs much to read and carries little."""

    code = "too-many-parts"
    title = "The form has too many parts"


class RangeNotSatisfiable(DocstoreError):
    """The range asked for has no byte in it."""

    code = "range-not-satisfiable"
    title = "No byte of the file is in that range"

    def __init__(self, size: int) -> None:
        super().__init__(f"the file has {size} bytes")
        self.size = size


class ClientGone(Exception):
    """The client hung up before its request was complete. Nobody is left to answer."""
