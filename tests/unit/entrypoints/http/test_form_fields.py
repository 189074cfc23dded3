"""The fields of a form: what is wrong with them is told before a file is read, but not before the
form is known to have too many parts.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.domain.errors import DocstoreError, InvalidField, UnsupportedMediaType
from docstore.domain.file import MAX_TAGS
from docstore.entrypoints.http.forms import MAX_PARTS, UNCODED, Form
from docstore.entrypoints.http.refusals import TooManyParts

BOUNDARY: Final = "cut"
END: Final = f"--{BOUNDARY}--\r\n".encode()


def part(name: str, value: bytes, *more: str) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"'
    if name == "file":
        disposition += '; filename="a"'
    head = "\r\n".join([f"--{BOUNDARY}", disposition, *more])
    return head.encode() + b"\r\n\r\n" + value + b"\r\n"


def read(body: bytes, cut: Callable[[bytes], list[bytes]] = lambda body: [body]) -> list[bytes]:
    """The files."""

    async def arrive() -> AsyncIterator[bytes]:
        for piece in cut(body):
            yield piece

    async def consume() -> list[bytes]:
        form = Form(arrive(), BOUNDARY)
        files = [b"".join([chunk async for chunk in part.body]) async for part in form.parts()]
        form.details()
        return files

    return asyncio.run(consume())


WRONG: Final = {
    "another name": part("other", b"x"),
    "a field twice": part("title", b"x") * 2,
    "too many tags": part("tags", b"x") * (MAX_TAGS + 1),
}


@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG)
def test_a_wrong_field_is_told_before_the_next_file_is_read(fields: bytes) -> None:
    cut_short = part("file", b"first") + fields + part("file", b"second")[:-2]
    with pytest.raises(InvalidField):
        read(cut_short)
    with pytest.raises(InvalidField):
        read(part("file", b"first") + fields + END)


@pytest.mark.parametrize("name", ["other", "title", "tags"])
def test_very_many_fields_are_too_many_whatever_they_are(name: str) -> None:
    with pytest.raises(TooManyParts):
        read(part(name, b"x") * (MAX_PARTS + 1) + END)
    with pytest.raises(InvalidField):
        read(part(name, b"x") * MAX_PARTS + END)


@pytest.mark.parametrize("name", ["file", "title"])
@pytest.mark.parametrize("coding", ["base64", "quoted-printable", "BASE64 ", "x-gzip"])
def test_a_part_that_is_encoded_is_refused(name: str, coding: str) -> None:
    coded = part(name, b"eA==", f"Content-Transfer-Encoding: {coding}")
    with pytest.raises(UnsupportedMediaType):
        read(coded + part("file", b"x") + END)


@pytest.mark.parametrize("coding", sorted(UNCODED))
def test_an_encoding_that_encodes_nothing_is_fine(coding: str) -> None:
    plain = part("file", b"eA==", f"Content-Transfer-Encoding: {coding.upper()}")
    assert read(plain + END) == [b"eA=="]


def test_a_form_in_a_form_is_refused() -> None:
    nested = part("file", b"--b--", 'Content-Type: Multipart/Mixed; boundary="b"')
    with pytest.raises(UnsupportedMediaType):
        read(nested + END)


PARTS: Final = st.lists(
    st.sampled_from(
        [part("file", b"x"), part("title", b"x"), part("tags", b"x"), part("file", b"x")[:-3], END]
    ),
    max_size=6,
)


@given(parts=PARTS, size=st.integers(1, 30))
def test_how_a_form_is_cut_changes_nothing(parts: list[bytes], size: int) -> None:
    body = b"".join(parts)

    def outcome(cut: Callable[[bytes], list[bytes]]) -> object:
        try:
            return read(body, cut)
        except DocstoreError as error:
            return type(error)

    whole = outcome(lambda body: [body])
    assert whole == outcome(lambda body: [body[i : i + size] for i in range(0, len(body), size)])
