"""Mailboxes (RFC 4155), message by message."""

from collections.abc import Iterator
from typing import Final

from docstore.adapters.processors import kreuzberg_reader, mail_attachments
from docstore.adapters.processors.reading import Encrypted, Exhausted, Members, Reading
from docstore.adapters.processors.supplement import supplemented
from docstore.domain.errors import ProcessingFailed
from docstore.domain.names import MediaType

MAIL: Final = MediaType("message/rfc822")
MAX_MESSAGES: Final = 1000
MAX_MESSAGE: Final = 16 * 1024**2  # bytes


def read(data: bytes, members: Members) -> Reading:
    texts: list[str] = []
    unread = 0
    for message in messages(data):
        try:
            texts.append(_text(message, members))
        except (Encrypted, ProcessingFailed):
            unread += 1
        except Exhausted:
            break
    if unread:
        members.warn("partial", f"{unread} messages of the mailbox could not be read")
    return Reading("\n\n".join(texts), {"page_count": len(texts)})


def _text(message: bytes, members: Members) -> str:
    members.count()
    text = kreuzberg_reader.read(message, MAIL).text
    return supplemented(text, mail_attachments.of_mime(message, members))


def messages(data: bytes) -> Iterator[bytes]:
    """Each begins after a line that starts with "From "."""
    start = 0
    for _ in range(MAX_MESSAGES):
        if start < 0 or start >= len(data):
            return
        following = data.find(b"\nFrom ", start)
        end = len(data) if following < 0 else following + 1
        body = data.find(b"\n", start, end) + 1
        yield data[body : min(end, body + MAX_MESSAGE)].replace(b"\n>From ", b"\nFrom ")
        start = end if following >= 0 else -1
