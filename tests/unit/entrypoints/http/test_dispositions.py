import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.domain.errors import InvalidField, Malformed
from docstore.domain.names import file_name
from docstore.entrypoints.http import dispositions

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@given(name=NAMES, inline=st.booleans())
def test_what_is_written_is_one_plain_header_that_reads_back(name: str, inline: bool) -> None:
    header = dispositions.written(name, inline=inline)
    assert re.fullmatch(
        r"(inline|attachment); filename=\"[ -!#$&-.0-\[\]-~]*\"; filename\*=UTF-8''"
        r"(%[0-9A-F]{2}|[A-Za-z0-9!#$&+.^_`|~-])*",
        header,
    )
    assert header.startswith("inline") is inline
    assert dispositions.file_name(header.encode()) == name


@given(name=NAMES)
def test_what_is_stored_survives_a_round_trip(name: str) -> None:
    try:
        stored = file_name(name)
    except InvalidField:
        return
    assert dispositions.file_name(dispositions.written(stored).encode()) == stored


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("résumé.pdf", "resume.pdf"),
        ('a"b;c.txt', "a_b;c.txt"),
        ("a/../b", "a_.._b"),
        ("100%.txt", "100_.txt"),
        ("a\r\nSet-Cookie: x", "a__Set-Cookie: x"),
        ("🔑", "_"),
    ],
)
def test_the_plain_form_is_harmless(name: str, plain: str) -> None:
    assert f'filename="{plain}";' in dispositions.written(name)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"attachment", None),
        (b"ATTACHMENT; FileName=x.txt", "x.txt"),
        (b'attachment;filename="a b.txt"', "a b.txt"),
        (b'attachment ; filename = "a\\"b\\\\c.txt" ; size=3', 'a"b\\c.txt'),
        (b'form-data; name="f"; filename="x;y=z.txt";', "x;y=z.txt"),
        ('attachment; filename="ü.txt"'.encode(), "ü.txt"),
        (b"attachment; filename=x; filename*=utf-8'en'%e2%82%ac.txt", "€.txt"),
        (b"attachment; filename*=ISO-8859-1''%fc.txt; filename=x", "ü.txt"),
        (b'attachment; filename=""', ""),
    ],
)
def test_names_are_read(header: bytes, name: str | None) -> None:
    assert dispositions.file_name(header) == name


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b";",
        b"attachment; filename",
        b"attachment; filename=a b",
        b'attachment; filename="a',
        b'attachment; filename="a\\"',
        b"attachment; filename=a; filename=b",
        b"attachment; filename=a, filename=b",
        b'attachment; filename="\xff"',
        b"attachment; filename*=utf-8''%ff",
        b"attachment; filename*=utf-8''%f",
        b"attachment; filename*=utf-7''a",
        b"attachment; filename*=a",
        b"attachment; filename*=\"utf-8''a b\"",
    ],
)
def test_what_is_no_disposition_is_malformed(header: bytes) -> None:
    with pytest.raises(Malformed):
        dispositions.file_name(header)


@given(header=st.binary(max_size=80).map(lambda tail: b"attachment; filename=" + tail))
def test_anything_is_read_or_refused(header: bytes) -> None:
    try:
        assert isinstance(dispositions.file_name(header), str)
    except Malformed:
        return


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "junk", [b'"' + b"\\" * 60_000, b";" * 60_000, b"; a=" * 15_000, b" " * 60_000]
)
def test_a_long_header_is_read_in_no_time(junk: bytes) -> None:
    for header in (b"attachment; filename=" + junk, b"attachment" + junk):
        try:
            dispositions.file_name(header)
        except Malformed:
            continue
