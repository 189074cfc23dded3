"""The parsing of forms by itself: what arrives in any pieces is what was sent."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.domain.errors import DocstoreError, InvalidField, Malformed, TooLarge
from docstore.domain.file import Details
from docstore.entrypoints.http.forms import MAX_FIELD, MAX_PARTS, Form, boundary_of
from docstore.entrypoints.http.refusals import TooManyParts

BOUNDARY = "-----8ao"


def part(name: str, value: bytes, *more: str, filename: str | None = None) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"'
    if filename is not None:
        disposition += f'; filename="{filename}"'
    head = "\r\n".join([f"--{BOUNDARY}", disposition, *more])
    return head.encode() + b"\r\n\r\n" + value + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def file(value: bytes, filename: str = "a.bin", *more: str) -> bytes:
    return part("file", value, *more, filename=filename)


def read(chunks: Iterable[bytes]) -> tuple[Sequence[tuple[str, bytes]], Details]:
    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def consume() -> tuple[Sequence[tuple[str, bytes]], Details]:
        sent = Form(body(), BOUNDARY)
        files = [
            (part.name, b"".join([chunk async for chunk in part.body]))
            async for part in sent.parts()
        ]
        return files, sent.details()

    return asyncio.run(consume())


def pieces(data: bytes, size: int) -> Iterable[bytes]:
    return (data[i : i + size] for i in range(0, len(data), size))


WHOLE = form(
    part("title", "Übersicht".encode()),
    file(b"one\r\n--" + BOUNDARY[:-1].encode() + b"\r\n-", "ünï.txt"),
    part("tags", b"a"),
    part("metadata", b'{"n": [1, null]}', filename="meta.json"),
    file(b"\r\n\r\n", "b"),
    part("tags", b"b"),
    part("description", b""),
)
EXPECTED = [("ünï.txt", b"one\r\n--" + BOUNDARY[:-1].encode() + b"\r\n-"), ("b", b"\r\n\r\n")]


def check_whole(chunks: Iterable[bytes]) -> None:
    files, details = read(chunks)
    assert files == EXPECTED
    assert (details.title, details.description) == ("Übersicht", "")
    assert (details.tags, details.metadata) == (("a", "b"), {"n": [1, None]})


def test_a_form_is_read_wherever_it_is_cut() -> None:
    for position in range(len(WHOLE) + 1):
        check_whole([chunk for chunk in (WHOLE[:position], WHOLE[position:]) if chunk])


@pytest.mark.parametrize("size", range(1, 71))
def test_a_form_is_read_in_pieces_of_any_size(size: int) -> None:
    check_whole(pieces(WHOLE, size))


@given(
    bodies=st.lists(
        st.lists(
            st.sampled_from([b"\r", b"\n", b"-", b"--", BOUNDARY.encode(), b"x", b"\r\n--"]),
            max_size=12,
        ).map(b"".join),
        min_size=1,
        max_size=3,
    ),
    size=st.integers(1, 40),
)
def test_what_looks_like_a_boundary_stays_in_the_file(bodies: list[bytes], size: int) -> None:
    delimiter = f"\r\n--{BOUNDARY}".encode()
    bodies = [body for body in bodies if delimiter not in b"\r\n" + body + b"\r"]
    files, _ = read(pieces(form(*(file(body) for body in bodies)), size))
    assert [body for _, body in files] == bodies


def test_every_cut_form_is_malformed() -> None:
    for length in range(1, len(WHOLE) - 2):
        with pytest.raises(DocstoreError) as caught:
            read([WHOLE[:length]])
        assert isinstance(caught.value, Malformed), length


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a.pdf", "a.pdf"),
        ("../../etc/passwd", "../../etc/passwd"),  # what a name may be is not a parser's business
        ("a%22b.txt", 'a"b.txt'),
        ("semi;colon.txt", "semi;colon.txt"),
    ],
)
def test_names_are_kept_as_browsers_write_them(name: str, kept: str) -> None:
    assert read([form(file(b"x", name))])[0] == [(kept, b"x")]


@pytest.mark.parametrize("lines", [(), ("Content-Type: text/plain; charset=ISO-8859-1",)])
def test_a_field_is_decoded(lines: Sequence[str]) -> None:
    value = "é".encode("latin-1" if lines else "utf-8")
    assert read([form(part("title", value, *lines))])[1].title == "é"


@pytest.mark.parametrize(
    "bad",
    [
        part("title", b"\xff"),
        part("title", b"x", "Content-Type: text/plain; charset=utf-99"),
        part("title", b"x", "Content-Type: text/plain; charset=zlib"),
        b"--" + BOUNDARY.encode() + b'\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nx\r\n',
        b"--" + BOUNDARY.encode() + b"\r\nContent-Type: text/plain\r\n\r\nx\r\n",
        file(b"x", "n" * 5000),
        file(b"x", "a", *(f"X-{n}: 1" for n in range(1000))),
        file(b"x", "a", "X: " + "y" * 1_000_000),
        file(b"x", "a", "Content-Length: 7"),
        b"no boundary in it",
    ],
)
def test_what_is_no_form_is_malformed(bad: bytes) -> None:
    with pytest.raises(Malformed):
        read([form(bad)])


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([part("title", b"a"), part("title", b"b")], "title"),
        ([part("metadata", b"{}"), part("metadata", b"{}")], "metadata"),
        ([part("owner_id", b"a")], "owner_id"),
        ([part("", b"a")], "form"),
        ([part("upload", b"a", filename="a.txt")], "upload"),
        ([part("tags", b"x")] * 51, "tags"),
        ([part("tags", b"x" * 65)], "tags"),
        ([part("tags", b"\x00")], "tags"),
        ([part("title", b"x" * 256)], "title"),
        ([part("description", b"x" * 10_001)], "description"),
        ([part("metadata", b"[]")], "metadata"),
        ([part("metadata", b"{")], "metadata"),
        ([part("metadata", b'{"a": NaN}')], "metadata"),
        ([part("metadata", b'{"a": 1, "a": 2}')], "metadata"),
        ([part("metadata", b'{"a": "' + b"x" * 16_384 + b'"}')], "metadata"),
        ([part("metadata", b"[" * 60_000)], "metadata"),
    ],
)
def test_what_is_wrong_with_a_field_is_named(parts: Sequence[bytes], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read([form(*parts)])
    assert [name for name, _ in caught.value.problems] == [field]


def test_a_text_field_is_given_up_once_it_is_too_long() -> None:
    seen = 0

    def endless() -> Iterable[bytes]:
        nonlocal seen
        yield form(part("title", b""))[: -len(form()) - 2]
        while True:
            seen += 4096
            yield b"x" * 4096

    with pytest.raises(TooLarge):
        read(endless())
    assert seen <= MAX_FIELD + 2 * 4096


def test_a_field_of_the_longest_length_passes_the_parser() -> None:
    with pytest.raises(InvalidField):
        read([form(part("title", b"x" * MAX_FIELD))])


def test_very_many_parts_are_too_many() -> None:
    with pytest.raises(TooManyParts):
        read([form(*[file(b"x")] * (MAX_PARTS + 1))])
    assert len(read([form(*[file(b"x")] * MAX_PARTS)])[0]) == MAX_PARTS


def test_line_ends_before_and_after_a_form_are_skipped() -> None:
    padding = b"\r\n" * 100_000
    assert read([padding + WHOLE, padding])[0] == EXPECTED


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        f"multipart/form-data; boundary={'x' * 71}",
        f"multipart/form-data; boundary={'x' * 5000}",
        "multipart/form-data; boundary=ü",
        "multipart/form-data; boundary=x; charset=utf-99",
        "multipart/form-data; boundary=" + '"' + "\\" * 60_000,
    ],
)
def test_a_form_without_a_usable_boundary_is_malformed(content_type: str) -> None:
    with pytest.raises(Malformed):
        boundary_of(content_type)


@pytest.mark.parametrize("boundary", ["x", "x" * 70, '"a b:c"'])
def test_a_boundary_is_read(boundary: str) -> None:
    assert boundary_of(f"multipart/form-data; boundary={boundary}") == boundary.strip('"')
