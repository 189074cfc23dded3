"""Documents by type: which reader reads what."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO, Final, TypeAlias

from docstore.adapters.processors import (
    compound,
    epub,
    fiction_book,
    kreuzberg_reader,
    large_sheets,
    mail_attachments,
    mailbox,
    markup,
    notebook,
    old_excel,
    ooxml,
    opendocument,
    pdf,
    plain_text,
    rtf,
    web_page,
    workbook_records,
    zip_directory,
)
from docstore.adapters.processors import document_types as types
from docstore.adapters.processors.reading import Encrypted, Exhausted, Members, Reading
from docstore.adapters.processors.supplement import metadata_lines, supplemented
from docstore.application.ports.processor import Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.names import MediaType

_More: TypeAlias = Callable[[bytes, Members], Iterator[str]]

MORE: Final[Sequence[tuple[Collection[str], _More]]] = (
    (types.OOXML, ooxml.more),
    (types.OPENDOCUMENT, opendocument.more),
    ({types.EXCEL}, workbook_records.more),
    (types.COMPOUND, compound.objects),
    ({types.EPUB}, epub.more),
    ({types.MAIL}, mail_attachments.of_mime),
    ({types.OUTLOOK}, mail_attachments.of_outlook),
    ({types.NOTEBOOK}, notebook.more),
    ({types.PDF}, pdf.more),
    ({types.RTF}, rtf.more),
)
"""Who finds what the library leaves out."""

_ENCRYPTED_PACKAGE: Final = "EncryptedPackage".encode("utf-16-le")  # [MS-OFFCRYPTO] 2.3.4.4


def accepts(media_type: MediaType) -> bool:
    return media_type.startswith("text/") or media_type in types.DOCUMENTS | types.PLAIN


def read(body: BinaryIO, subject: Subject, members: Members) -> Reading:
    """Raises Encrypted, or ProcessingFailed when it cannot be read."""
    media_type = subject.media_type
    if media_type == types.MAILBOX:
        return mailbox.read(body.read(), members)
    if media_type in types.DOCUMENTS:
        return _document(body, media_type, members)
    # No encoding takes more bytes for a character.
    return Reading(plain_text.decode(body.read(4 * members.options.max_text_characters + 4)))


def _document(body: BinaryIO, media_type: MediaType, members: Members) -> Reading:
    data = body.read()
    if media_type in types.ZIPPED:
        _check(body, data, members)
    reading = _main(data, media_type, members)
    if media_type in types.OOXML and not reading.text.strip():
        ooxml.check(data, members)
    if media_type == types.PDF and not reading.text.strip():
        reading = replace(reading, text=pdf.scanned(data, members))
    more = () if reading.is_all else _more(data, media_type, members)
    text = supplemented(reading.text, [*more, *metadata_lines(reading.metadata)])
    return Reading(text, reading.metadata)


def _main(data: bytes, media_type: MediaType, members: Members) -> Reading:
    if media_type == types.FICTION_BOOK:
        return fiction_book.read(data)
    if media_type in types.MARKUP:
        return markup.read(data)
    if media_type in types.OPENDOCUMENT_AS_XML:
        return opendocument.read(data, members)
    if media_type == types.PDF and (reading := pdf.beginning(data, members)):
        return reading
    if media_type in types.SHEETS and (reading := large_sheets.beginning(data, members)):
        return reading
    if media_type == types.EXCEL and not data.startswith(compound.MAGIC):
        return old_excel.read(data)
    if media_type in types.HTML:
        data = web_page.as_utf8(data)
    return kreuzberg_reader.read(data, media_type)


def _more(data: bytes, media_type: MediaType, members: Members) -> Iterator[str]:
    """What the library leaves out. An error there is no reason to lose what it did read."""
    find = next((find for kinds, find in MORE if media_type in kinds), None)
    if find is None or (media_type == types.EXCEL and not data.startswith(compound.MAGIC)):
        return
    try:
        yield from find(data, members)
    except Exhausted:
        return
    except (ProcessingFailed, MemoryError):
        raise
    except Exception:
        members.warn("partial", "what is embedded in it could not be read in full")


def _check(body: BinaryIO, data: bytes, members: Members) -> None:
    if data.startswith(compound.MAGIC) and _ENCRYPTED_PACKAGE in data:
        raise Encrypted("an encrypted package")
    body.seek(0)
    zip_directory.check(
        body,
        len(data),
        max_entries=members.options.max_archive_entries,
        max_unpacked=members.options.max_unpacked_bytes,
    )
