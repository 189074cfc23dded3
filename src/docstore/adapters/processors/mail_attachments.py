"""What is attached to a mail: leaves of its MIME tree, or storages of an [MS-OXMSG] file."""

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Final

from docstore.adapters.processors import compound
from docstore.adapters.processors.reading import Members

_ATTACHMENT: Final = "__attach_version1.0_"
_DATA: Final = "__substg1.0_37010102"
_NAMES: Final = ("__substg1.0_3707001F", "__substg1.0_3704001F")  # long, short


def of_mime(data: bytes, members: Members) -> Iterator[str]:
    for part in message_from_bytes(data).walk():
        if part.is_multipart() or not _is_attached(part):
            continue
        members.count()
        content = part.get_payload(decode=True)
        yield members.text(
            part.get_filename() or "", content if isinstance(content, bytes) else b""
        )


def of_outlook(data: bytes, members: Members) -> Iterator[str]:
    with compound.opened(data) as file:
        for path in file.listdir():
            if path[0].startswith(_ATTACHMENT) and path[-1] == _DATA and len(path) == 2:
                members.count()
                with file.openstream(path) as stream:
                    content = members.inflate(stream) or b""
                names = (compound.utf16(file, [path[0], each]) for each in _NAMES)
                yield members.text(next(filter(None, names), ""), content)


def _is_attached(part: Message) -> bool:
    return part.get_content_maintype() != "text" or part.get_filename() is not None
