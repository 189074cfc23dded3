"""PDF beyond the text of its pages: attachments, XMP, files of too many pages."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

from docstore.adapters.processors import recognition
from docstore.adapters.processors.pdfium import opened
from docstore.adapters.processors.reading import Encrypted, Members, Reading
from docstore.adapters.processors.xmp import packets, xmp_text
from docstore.domain.errors import ProcessingFailed


def more(data: bytes, members: Members) -> Iterator[str]:
    for packet in packets(data):
        yield xmp_text(packet)
    with opened(data) as document:
        for number in range(document.count_attachments()):
            members.count()
            attachment = document.get_attachment(number)
            yield members.text(attachment.get_name(), bytes(attachment.get_data()))


def scanned(data: bytes, members: Members) -> str:
    """The text in the pictures of a file that has no other, when that is wanted."""
    from docstore.adapters.processors.page_drawing import drawn

    if not members.options.ocr_languages:
        return ""
    for notice in recognition.notices(members.options):
        members.warn(notice.code, notice.message)
        return ""
    texts: list[str] = []
    with opened(data) as document:
        for number in range(min(len(document), members.options.max_pages)):
            page, _ = drawn(document, number, recognition.ROOM, members.seconds_left)
            text = recognition.recognised(page, members.options, members.seconds_left)
            if text is None:
                members.warn("partial", f"{_TOO_SLOW} {number} pages (DOCSTORE_PROCESS_SECONDS)")
                break
            texts.append(text)
    return "\n\n".join(filter(None, texts))


_TOO_SLOW: Final = "there was time to recognise the text of"


def beginning(data: bytes, members: Members) -> Reading | None:
    """The first pages of a file that has too many; None when it has not."""
    most = members.options.max_pages
    try:
        with opened(data) as document:
            if len(document) <= most:
                return None
            members.warn("truncated", f"only the first {most} pages were read (DOCSTORE_MAX_PAGES)")
            texts = [_page(document, number) for number in range(most)]
            return Reading("\n\n".join(texts), {"page_count": len(document)})
    except (Encrypted, ProcessingFailed):
        return None  # the library says it better


def _page(document: Any, number: int) -> str:
    with closing(document[number]) as page, closing(page.get_textpage()) as text:
        return str(text.get_text_bounded())
