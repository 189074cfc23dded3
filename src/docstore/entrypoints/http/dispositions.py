"""Content-Disposition (RFC 6266), with names beyond ASCII as in RFC 8187: read and written."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from docstore.domain.errors import Malformed

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE: Final = re.compile(rf"[ \t]*({_TOKEN})[ \t]*")
_PARAMETER: Final = re.compile(
    rf';[ \t]*({_TOKEN})[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|{_TOKEN})[ \t]*', re.DOTALL
)
_EXTENDED: Final = re.compile(
    r"(utf-8|iso-8859-1)'[A-Za-z0-9-]*'((?:%[0-9A-Fa-f]{2}|[!#$&+.^_`|~0-9A-Za-z-])*)",
    re.IGNORECASE,
)
_ATTR_CHAR: Final = "!#$&+-.^_`|~"  # RFC 8187 3.2.1, beside letters and digits
_UNSAFE: Final = re.compile(r'[^ -~]|["\\%/]')
"""Not in the plain form of a name: what is not ASCII, ends or escapes a quoted string, is decoded
by some browsers (RFC 6266 appendix D), or looks like a path."""


def written(name: str, *, inline: bool = False) -> str:
    """The header's value: how to show the bytes, and their name in both forms."""
    kind = "inline" if inline else "attachment"
    plain = _UNSAFE.sub("_", _without_accents(name))
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=_ATTR_CHAR)}"


def _without_accents(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))


def file_name(value: bytes) -> str | None:
    """The name in a header's value, the extended form first; None when it has none.

    Raises Malformed for what is no Content-Disposition, and for bytes that are not UTF-8.
    """
    try:
        parameters = _parameters(value.decode())
    except UnicodeDecodeError:
        raise Malformed("the file name in Content-Disposition is not UTF-8") from None
    if (extended := parameters.get("filename*")) is not None:
        return _decoded(extended)
    return parameters.get("filename")


def _parameters(value: str) -> Mapping[str, str]:
    kind = _TYPE.match(value)
    if kind is None:
        raise Malformed("Content-Disposition has no type")
    found: dict[str, str] = {}
    position = kind.end()
    value = value.rstrip("; \t")  # a last semicolon too many is common
    while position < len(value):
        match = _PARAMETER.match(value, position)
        if match is None or match[1].lower() in found:
            raise Malformed("Content-Disposition is malformed")
        found[match[1].lower()] = _unquoted(match[2])
        position = match.end()
    return found


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL) if value[0] == '"' else value


def _decoded(extended: str) -> str:
    match = _EXTENDED.fullmatch(extended)
    if match is None:
        raise Malformed("filename* in Content-Disposition is malformed")
    try:
        return unquote_to_bytes(match[2]).decode(match[1])
    except UnicodeDecodeError:
        raise Malformed("filename* in Content-Disposition is not in its charset") from None
