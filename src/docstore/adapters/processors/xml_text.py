"""The words of an XML document, in the order in which they stand.

Expat reads no other file, and takes any depth. Entities that a document declares itself are
refused: no office format has any.
"""

from collections.abc import Collection, Mapping
from typing import Final
from xml.parsers import expat

MAX_NAME: Final = 256  # characters of an element's name
_INLINE: Final = frozenset({"r", "t", "rPr", "span", "a", "b", "i", "em", "strong", "sup", "sub"})


def xml_text(
    data: bytes,
    *,
    without: Collection[str] = (),
    within: Collection[str] = (),
    inline: Collection[str] = _INLINE,
) -> str:
    """What stands between the tags, on a new line for each element but the `inline` ones.

    Names are local, without a prefix. `without`: elements that are left out. `within`: only what
    is inside of such elements. Of a broken document, as much as comes before the break.
    """
    gathering = _Gathering(without, within, inline)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = gathering.start
    parser.EndElementHandler = gathering.end
    parser.CharacterDataHandler = gathering.characters
    _parse(parser, data)
    return gathering.text


def xml_attributes(data: bytes, element: str) -> list[Mapping[str, str]]:
    """The attributes of every such element, by their local names."""
    found: list[Mapping[str, str]] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if local(name) == element:
            found.append({local(key): value for key, value in attributes.items()})

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    _parse(parser, data)
    return found


def local(name: str) -> str:
    return name.rpartition(":")[2]


class EntitiesDeclared(Exception):
    """The document declares entities."""


def refuse_entities(parser: expat.XMLParserType) -> None:
    """Have it raise EntitiesDeclared rather than expand one."""
    parser.EntityDeclHandler = _refuse


def is_whole(data: bytes) -> bool:
    """Whether it is a well-formed document that declares no entities."""
    return _parse(expat.ParserCreate(), data)


def _refuse(*_: object) -> None:
    raise EntitiesDeclared


def _parse(parser: expat.XMLParserType, data: bytes) -> bool:
    refuse_entities(parser)
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, EntitiesDeclared, ValueError, LookupError):
        return False
    return True


class _Gathering:
    def __init__(
        self, without: Collection[str], within: Collection[str], inline: Collection[str]
    ) -> None:
        self._without, self._within, self._inline = without, within, inline
        self._inside = 0
        self._outside = 0
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        lines = (" ".join(line.split()) for line in "".join(self._pieces).split("\n"))
        return "\n".join(filter(None, lines))

    def start(self, name: str, _: Mapping[str, str]) -> None:
        name = local(name)
        self._outside += name in self._without
        self._inside += name in self._within
        self._break(name)

    def end(self, name: str) -> None:
        name = local(name)
        self._break(name)
        self._outside -= name in self._without
        self._inside -= name in self._within

    def characters(self, data: str) -> None:
        if not self._outside and (self._inside or not self._within):
            # A line end in the source ends no line of the text.
            self._pieces.append(data.replace("\n", " "))

    def _break(self, name: str) -> None:
        if name not in self._inline and self._pieces and self._pieces[-1] != "\n":
            self._pieces.append("\n")
