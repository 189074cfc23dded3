"""multipart/form-data (RFC 7578), parsed as it arrives: files go straight on, fields are kept."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

from multipart import (
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from docstore.application.uploading import Part
from docstore.domain.errors import InvalidField, Malformed, TooLarge, UnsupportedMediaType
from docstore.domain.file import MAX_TAGS, Details
from docstore.entrypoints.http import json_bodies
from docstore.entrypoints.http.digests import FIELDS, read_digests
from docstore.entrypoints.http.refusals import TooManyParts

MAX_FIELD: Final = 64 * 1024  # bytes of one text field
MAX_PARTS: Final = 1000
MAX_BOUNDARY: Final = 70  # characters, RFC 2046 5.1.1
UNCODED: Final = frozenset({"", "7bit", "8bit", "binary"})
"""Transfer encodings that encode nothing. Nobody decodes the others (RFC 7578 4.7 wants none)."""
NESTED: Final = "multipart/mixed"  # of several files in one part, which RFC 7578 4.3 gave up
CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii", "iso-8859-1"})
"""That a text field may be in. Of those that Python knows some are slow, and some no charsets."""

FILE: Final = "file"
SINGLE: Final = frozenset({"title", "description", "metadata"})
TAGS: Final = "tags"


def boundary_of(content_type: str) -> str:
    """The boundary that a form's Content-Type names; Malformed when there is no usable one."""
    _, options = parse_options_header(content_type)
    _check_charset(options.get("charset"))
    boundary: str = options.get("boundary", "")
    if not 1 <= len(boundary) <= MAX_BOUNDARY or not boundary.isascii():
        raise Malformed(
            f"the form's Content-Type needs a boundary of 1 to {MAX_BOUNDARY} characters"
        )
    return boundary


@dataclass(slots=True)
class Form:
    """One form, read once: first `parts` to their end, then `details`."""

    body: AsyncIterator[bytes]
    boundary: str
    fields: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    wrong: InvalidField | None = None  # the first field that is not as it should be

    async def parts(self) -> AsyncGenerator[Part, None]:
        """The files, in the order sent. The body of each is to be read before the next is asked
        for. Text fields among them are kept for `details`.

        Raises Malformed, TooManyParts, TooLarge for a text field, UnsupportedMediaType; and
        InvalidField for what is wrong with the fields before a file, rather than read that too.
        """
        async with aclosing(self._events()) as events:
            async for event in events:
                assert isinstance(event, MultipartSegment)
                _refuse_coded(event)
                if event.name == FILE:
                    self._check()
                    yield _part(event, _content(events))
                else:
                    self._keep(event.name or "", await _text(event, events))
        self._check()

    def details(self) -> Details:
        """What the fields say of every file; InvalidField for what breaks a rule."""
        return Details(
            title=self.fields.get("title"),
            description=self.fields.get("description"),
            tags=tuple(self.tags),
            metadata=_metadata(self.fields.get("metadata")),
        )

    async def _events(self) -> AsyncGenerator[MultipartSegment | bytes | None, None]:
        """A segment for each part, then its bytes, then None."""
        parser = PushMultipartParser(self.boundary)
        count = 0
        try:
            async for chunk in self.body:
                for event in parser.parse(chunk):
                    count += isinstance(event, MultipartSegment)
                    if count > MAX_PARTS:
                        raise TooManyParts(f"more than {MAX_PARTS} parts")
                    yield event
            parser.close()  # raises when the last boundary has not come
        except MultipartError as error:
            raise Malformed(f"the form is not multipart/form-data: {error}") from error

    def _keep(self, name: str, text: str) -> None:
        if name == TAGS and len(self.tags) < MAX_TAGS:
            self.tags.append(text)
        elif name in SINGLE and name not in self.fields:
            self.fields[name] = text
        elif self.wrong is None:
            self.wrong = InvalidField(_unwanted(name))

    def _check(self) -> None:
        if self.wrong is not None:
            raise self.wrong


def _unwanted(name: str) -> tuple[str, str]:
    """Why there is no place for another field of that name."""
    if name == TAGS:
        return TAGS, f"more than {MAX_TAGS} tags"
    if name in SINGLE:
        return name, "given twice"
    return name[:64] or "form", f"not a field of this form; files are `{FILE}`"


def _refuse_coded(segment: MultipartSegment) -> None:
    """UnsupportedMediaType for a part that is something else until somebody decodes it."""
    coding = segment.header("Content-Transfer-Encoding", "").strip().lower()
    if coding not in UNCODED or segment.content_type == NESTED:
        raise UnsupportedMediaType("the parts of a form are to be neither encoded nor forms")


def _part(segment: MultipartSegment, body: AsyncIterator[bytes]) -> Part:
    return Part(
        name=segment.filename or "",
        body=body,
        declared_media_type=segment.content_type,
        digests=read_digests(segment.header(name, "") for name in FIELDS),
    )


async def _content(events: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    async for event in events:
        if event is None:
            return
        yield event


async def _text(segment: MultipartSegment, events: AsyncIterator[Any]) -> str:
    charset = _check_charset(segment.charset)
    text = bytearray()
    async for chunk in _content(events):
        text += chunk
        if len(text) > MAX_FIELD:
            raise TooLarge(MAX_FIELD, "the API for a text field of a form")
    try:
        return text.decode(charset)
    except UnicodeDecodeError:
        raise Malformed(f"the field {segment.name} is not in {charset}") from None


def _check_charset(charset: str | None) -> str:
    known = (charset or "utf-8").lower()
    if known not in CHARSETS:
        raise Malformed("the form is in a charset that is not accepted; send UTF-8")
    return known


def _metadata(text: str | None) -> Mapping[str, Any]:
    if text is None:
        return {}
    try:
        value = json_bodies.parse(text.encode())
    except Malformed:
        value = None
    if not isinstance(value, dict):
        raise InvalidField(("metadata", "not a JSON object"))
    return value
