"""How a file is put into a request: alone, or in a form when something is said of it.

A form says all of it in one request, so a file is never stored without what belongs to it.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from docstore.entrypoints.client.uploading import Details


@dataclass(frozen=True, slots=True)
class Body:
    """What goes before and after the bytes of the file, and the headers that say so."""

    headers: Mapping[str, str]
    head: bytes = b""
    tail: bytes = b""


def body_of(details: "Details", name: str) -> Body:
    fields = list(_fields(details))
    return _form(fields, name) if fields else _alone(name)


def _alone(name: str) -> Body:
    return Body({
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
    })  # fmt: skip


def _form(fields: list[tuple[str, str]], name: str) -> Body:
    boundary = secrets.token_hex(16)
    told = [_part(boundary, f'name="{field}"') + text.encode() for field, text in fields]
    about = f'name="file"; filename="{_quoted(name)}"\r\nContent-Type: application/octet-stream'
    return Body(
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        head=b"\r\n".join((*told, _part(boundary, about))),
        tail=f"\r\n--{boundary}--\r\n".encode(),
    )


def _part(boundary: str, about: str) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {about}\r\n\r\n".encode()


def _fields(details: "Details") -> Iterator[tuple[str, str]]:
    for field, text in (("title", details.title), ("description", details.description)):
        if text is not None:
            yield field, text
    for tag in details.tags:
        yield "tags", tag
    if details.metadata:
        yield "metadata", json.dumps(dict(details.metadata))


def _quoted(name: str) -> str:
    """As browsers write it in a form (HTML, multipart/form-data encoding algorithm)."""
    for character in '"\r\n':
        name = name.replace(character, f"%{ord(character):02X}")
    return name
