"""Cells of a spreadsheet in XML, one after another as the file is unpacked: ECMA-376 part 1, 18.3
and 18.4; OpenDocument 1.3 part 3, 9. What has been read of a broken part counts.
"""

from collections.abc import Mapping, Sequence
from typing import BinaryIO, Final, Protocol
from xml.parsers import expat

from docstore.adapters.processors.xml_text import EntitiesDeclared, local, refuse_entities

PIECE: Final = 64 * 1024  # bytes

_CELLS: Final = frozenset({"c", "table-cell"})
_ROWS: Final = frozenset({"row", "table-row"})
_SAID: Final = frozenset({"v", "t", "p"})


class Enough(Exception):
    """No more is wanted."""


class Handlers(Protocol):
    """Told of each element and text of a part; raises Enough when it has all that it wants."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None: ...

    def end(self, name: str) -> None: ...

    def characters(self, data: str) -> None: ...


def feed(handlers: Handlers, stream: BinaryIO) -> bool:
    """Whether the part was whole, as far as it was wanted."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = handlers.start
    parser.EndElementHandler = handlers.end
    parser.CharacterDataHandler = handlers.characters
    refuse_entities(parser)
    try:
        while piece := stream.read(PIECE):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except Enough:
        return True
    except (expat.ExpatError, EntitiesDeclared, ValueError, LookupError):
        return False
    return True


class Rows:
    """A line for each row that says something, over all sheets that it is fed."""

    def __init__(self, most: int, room: int, shared: Sequence[str] = ()) -> None:
        """`most` cells, and characters until `room` is full; `shared` are texts by number."""
        self._left = most
        self._room = room
        self._shared = shared
        self._lines: list[str] = []
        self._row: list[str] = []
        self._cell: list[str] = []
        self._is_shared = False
        self._inside = 0

    @property
    def text(self) -> str:
        return "\n".join([*self._lines, " ".join(self._row)]).rstrip("\n")

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        name = local(name)
        if name in _SAID:
            self._inside += 1
        elif name in _CELLS:
            if not self._left:
                raise Enough
            self._left -= 1
            self._cell = []
            self._is_shared = attributes.get("t") == "s"

    def end(self, name: str) -> None:
        name = local(name)
        if name in _SAID:
            self._inside -= 1
            self._cell.append(" " if name == "p" else "")
        elif name in _CELLS:
            if said := "".join(self._cell).strip():
                self._row.append(self._lookup(said) if self._is_shared else said)
        elif name in _ROWS and self._row:
            self._add(" ".join(self._row))
            self._row = []

    def characters(self, data: str) -> None:
        if self._inside:
            self._cell.append(data)

    def _lookup(self, number: str) -> str:
        try:
            return self._shared[int(number)]
        except (ValueError, IndexError):
            return ""

    def _add(self, line: str) -> None:
        self._lines.append(line)
        self._room -= len(line) + 1
        if self._room < 0:
            raise Enough


class Strings:
    """The texts that cells share, each of one run or of several."""

    def __init__(self, room: int) -> None:
        self.found: list[str] = []
        self._room = room  # characters
        self._pieces: list[str] = []
        self._inside = False

    def start(self, name: str, _: Mapping[str, str]) -> None:
        name = local(name)
        self._inside = name == "t"
        if name == "si":
            self._pieces = []

    def end(self, name: str) -> None:
        self._inside = False
        if local(name) == "si":
            self.found.append("".join(self._pieces))
            self._room -= len(self.found[-1]) + 1
            if self._room < 0:
                raise Enough

    def characters(self, data: str) -> None:
        if self._inside:
            self._pieces.append(data)
