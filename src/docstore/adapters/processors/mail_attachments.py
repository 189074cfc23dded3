"""What is attached to a mail: leaves of its MIME tree, or storages of an [MS-OXMSG] file."""

import re
from base64 import b64decode
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import InvalidBase64LengthDefect
from email.message import Message
from typing import Final

from docstore.adapters.processors import compound
from docstore.adapters.processors.reading import Members

_ATTACHMENT: Final = "__attach_version1.0_"
_DATA: Final = "__substg1.0_37010102"
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]+")
_NAMES: Final = ("__substg1.0_3707001F", "__substg1.0_3704001F")  # long, short


def of_mime(data: bytes, members: Members) -> Iterator[str]:
    for part in message_from_bytes(data).walk():
        if part.is_multipart() or not _is_attached(part):
            continue
        members.count()
        yield members.text(part.get_filename() or "", _content(part))


def of_outlook(data: bytes, members: Members) -> Iterator[str]:
    with compound.opened(data) as file:
        for path in file.listdir():
            if path[0].startswith(_ATTACHMENT) and path[-1] == _DATA and len(path) == 2:
                members.count()
                with file.openstream(path) as stream:
                    content = members.inflate(stream) or b""
                names = (compound.utf16(file, [path[0], each]) for each in _NAMES)
                yield members.text(next(filter(None, names), ""), content)


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return b""
    if any(isinstance(each, InvalidBase64LengthDefect) for each in part.defects):
        return _cut_short(content)
    return content


def _cut_short(base64: bytes) -> bytes:
    """As much as there is of what Python gives back undecoded, because its end is missing."""
    digits = _NOT_BASE64.sub(b"", base64)
    return b64decode(digits[: len(digits) & ~3])


def _is_attached(part: Message) -> bool:
    return part.get_content_maintype() != "text" or part.get_filename() is not None
