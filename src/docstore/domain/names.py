"""Value objects for what people write: each is made by one function that keeps its rule."""

import re
import unicodedata
from typing import Final, NewType

from docstore.domain.errors import InvalidField

Email = NewType("Email", str)
FileName = NewType("FileName", str)
MediaType = NewType("MediaType", str)

OCTET_STREAM: Final = MediaType("application/octet-stream")

MAX_NAME: Final = 255  # characters
MAX_EMAIL: Final = 254  # characters, RFC 5321 4.5.3.1.3
_CONTROL: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that never stand in a name: controls, formats (bidirectional overrides, zero
widths, byte order marks), lone surrogates, line and paragraph separators."""
_KEPT_FORMATS: Final = "\u200c\u200d"
"""Joiners that Persian, Indic scripts and emoji need; they reorder nothing."""
_NOTHING: Final = ". " + _KEPT_FORMATS  # a name of these alone names nothing
# RFC 9110 5.6.2 tokens on both sides; parameters are dropped.
_MEDIA_TYPE: Final = re.compile(r"[\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127}", re.ASCII)
# One @, a dot-atom before it, a host after it: HTML's own rule for <input type=email>.
_EMAIL: Final = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    r"(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)


def file_name(sent: str, field: str = "filename") -> FileName:
    """The name as sent, in NFC, without any path, control or bidirectional-override character.

    Raises InvalidField when nothing is left, or more than 255 characters are.
    """
    last = re.split(r"[/\\]", sent.rstrip("/\\"))[-1]
    kept = last if last.isprintable() else "".join(filter(_stands_in_a_name, last))
    name = unicodedata.normalize("NFC", kept).strip()
    if not name.strip(_NOTHING):
        raise InvalidField((field, "no usable file name"))
    if len(name) > MAX_NAME:
        raise InvalidField((field, f"the file name has more than {MAX_NAME} characters"))
    return FileName(name)


def _stands_in_a_name(character: str) -> bool:
    return character in _KEPT_FORMATS or unicodedata.category(character) not in _CONTROL


def email(sent: str, field: str = "email") -> Email:
    """The address in NFKC and lower case, so that one mailbox is one account."""
    address = unicodedata.normalize("NFKC", sent.strip()).lower()
    if len(address) > MAX_EMAIL or not _EMAIL.fullmatch(address):
        raise InvalidField((field, "not an e-mail address"))
    return Email(address)


def media_type(sent: str | None) -> MediaType:
    """The type without parameters, in lower case; octet-stream for what is none."""
    essence = (sent or "").split(";")[0].strip().lower()
    return MediaType(essence) if _MEDIA_TYPE.fullmatch(essence) else OCTET_STREAM
