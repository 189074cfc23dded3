import zipfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.adapters.media_types.signatures import SignatureSniffer
from docstore.application.ports.media_types import TypeSniffer
from docstore.domain.names import FileName, media_type
from docstore.testing import TypeSnifferContract
from docstore.testing.type_sniffer import PNG, sample

OOXML = "application/vnd.openxmlformats-officedocument"
ODT = "application/vnd.oasis.opendocument.text"
MAIL = b"Received: by x\nFrom: a@example.org\nTo: b@example.org\nSubject: hello\n\nHi there\n"


class TestSignatureSniffer(TypeSnifferContract):
    @pytest.fixture
    def sniffer(self) -> TypeSniffer:
        return SignatureSniffer()


def sniff(data: bytes, name: str = "file") -> str:
    return SignatureSniffer().sniff(sample(data, name))


def zipped(*members: str, first: tuple[str, bytes] | None = None, padding: int = 0) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        if first is not None:
            archive.writestr(first[0], first[1], zipfile.ZIP_STORED)
        if padding:
            archive.writestr("padding", bytes(padding))
        for each in members:
            archive.writestr(each, "x")
    return file.getvalue()


def compound(*streams: str) -> bytes:
    names = b"".join(each.encode("utf-16-le").ljust(128, b"\0") for each in streams)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0") + names


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (
            zipped("[Content_Types].xml", "word/document.xml"),
            "x",
            f"{OOXML}.wordprocessingml.document",
        ),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "x.zip", f"{OOXML}.spreadsheetml.sheet"),
        (
            zipped("[Content_Types].xml", "ppt/presentation.xml", padding=200_000),
            "x",
            f"{OOXML}.presentationml.presentation",
        ),
        (
            zipped("[Content_Types].xml", "word/document.xml"),
            "x.docm",
            "application/vnd.ms-word.document.macroenabled.12",
        ),
        (zipped("content.xml", first=("mimetype", ODT.encode())), "x.zip", ODT),
        (zipped("content.xml", "META-INF/manifest.xml"), "x.odt", ODT),
        (zipped("a", first=("mimetype", b"application/epub+zip")), "x", "application/epub+zip"),
        (zipped("a", first=("mimetype", b"text/html")), "x.html", "application/zip"),
        (zipped("META-INF/MANIFEST.MF"), "x", "application/java-archive"),
        (zipped("a.txt"), "x.docx", "application/zip"),
        (zipped(), "x", "application/zip"),
    ],
)
def test_zip_files_by_their_members(data: bytes, name: str, kind: str) -> None:
    assert sniff(data, name) == kind


def test_a_zip_file_is_not_what_lies_in_it() -> None:
    inner = zipped("[Content_Types].xml", "word/document.xml")
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.docx", inner)
    assert sniff(file.getvalue(), "x") == "application/zip"


@pytest.mark.parametrize(
    ("streams", "name", "kind"),
    [
        (["WordDocument"], "x", "application/msword"),
        (["Workbook"], "x.doc", "application/vnd.ms-excel"),
        (["Workbook", "PowerPoint Document"], "x", "application/vnd.ms-powerpoint"),
        (["Workbook", "PowerPoint Document"], "x.xls", "application/vnd.ms-excel"),
        (["__properties_version1.0"], "x", "application/vnd.ms-outlook"),
        (["EncryptedPackage"], "x.docx", f"{OOXML}.wordprocessingml.document"),
        (["EncryptedPackage"], "x", "application/x-ole-storage"),
        ([], "x.doc", "application/msword"),
        ([], "x.pdf", "application/x-ole-storage"),
    ],
)
def test_compound_files_by_their_streams(streams: list[str], name: str, kind: str) -> None:
    assert sniff(compound(*streams), name) == kind


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("<!DOCTYPE HTML><p>x", "x.txt", "text/html"),
        ("\n<!-- a --><html><body>", "x", "text/html"),
        ("<html><body>", "x.md", "text/html"),
        ("<p align=center>logo</p>\n# Title", "x.md", "text/markdown"),
        ("words <b>and</b>", "x.html", "text/html"),
        ("words <b>and</b>", "x.txt", "text/plain"),
        ('<?xml version="1.0"?><a><html/></a>', "x.html", "application/xml"),
        ('<?xml version="1.0"?>\n<html xmlns="x">', "x", "application/xhtml+xml"),
        ('<?xml version="1.0"?><!-- <a> --><!DOCTYPE svg><svg/>', "x.png", "image/svg+xml"),
        ('<svg xmlns="http://www.w3.org/2000/svg"></svg>', "x", "image/svg+xml"),
        ('<ns:svg xmlns:ns="http://www.w3.org/2000/svg"></ns:svg>', "x", "image/svg+xml"),
        ("<FictionBook xmlns='x'>", "x", "application/x-fictionbook+xml"),
        ("<note>x</note>", "x", "application/xml"),
        ("<3 is a heart", "x", "text/plain"),
        ('{"a": [1, 2]}', "x.txt", "application/json"),
        ('{"cells": [], "nbformat": 4}', "x.json", "application/x-ipynb+json"),
        ("[section]\nkey = value", "x.ini", "text/plain"),
        ('{"a": 1}\n{"a": 2}', "x.json", "application/json"),
        ('{"a": "' + "x" * 300_000 + '"}', "x", "application/json"),
        ("a,b\n1,2\n3,4\n", "x", "text/csv"),
        ("a\n", "x.csv", "text/csv"),
        ("One, two.\nThree.\nFour, five.\n", "x", "text/plain"),
        ("# Title\n", "x.md", "text/markdown"),
        ("{\\rtf1\\ansi words}", "x.doc", "application/rtf"),
        ("From a@example.org Thu Jan  1 00:00:00 1970\nSubject: x\n\nHi", "x", "application/mbox"),
        ("BEGIN:VCARD\nEND:VCARD", "x", "text/vcard"),
        ("BMP is a file format", "x.bmp", "text/plain"),
        ("MZ, initials of somebody", "x.exe", "text/plain"),
    ],
)
def test_text_by_how_it_begins(text: str, name: str, kind: str) -> None:
    assert sniff(text.encode(), name) == kind


@pytest.mark.parametrize("version", [2, 4])  # BIFF3, BIFF4
def test_sheets_from_before_compound_files(version: int) -> None:
    assert sniff(bytes([9, version, 6, 0, 0, 0, 0x10, 0, 0, 0])) == "application/vnd.ms-excel"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_text_that_begins_with_a_byte_order_mark(encoding: str) -> None:
    assert sniff("<html>é".encode(encoding)) == "text/html"
    assert sniff("é\n".encode(encoding), "x.csv") == "text/csv"
    assert sniff("é\n".encode(encoding)) == "text/plain"
    assert sniff("a\0b".encode(encoding)) != "text/plain"


def test_mail_by_its_header() -> None:
    assert sniff(MAIL) == "message/rfc822"
    assert sniff(MAIL, "x.txt") == "text/plain"
    assert sniff(b"Note: this\nTo: do\nSubject: to change\n\nwords") == "text/plain"


def test_text_in_an_older_encoding() -> None:
    assert sniff("Größe, Übermaß".encode("latin-1")) == "text/plain"
    assert sniff("<html><body>Größe".encode("latin-1")) == "text/html"


def test_text_that_turns_into_something_else_is_no_text() -> None:
    assert sniff(b"#!/bin/sh\n" + b"x" * 100_000 + bytes(100)) == "application/octet-stream"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.4\n" + zipped("a.txt"), "application/pdf"),
        (zipped("a.txt") + b"%PDF-1.4\n", "application/zip"),
        (b"GIF89a\x01\x00\x01\x00/*" + bytes(9) + b"*/=1;<script>alert(1)</script>", "image/gif"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00<?php echo 1;", "image/jpeg"),
        (PNG + zipped("a.txt"), "image/png"),
        (b"\x01\x02 printer job \x1b\n%PDF-1.4", "application/pdf"),
        (b"\xef\xbb\xbf\n%PDF-1.4\n%\xe2\xe3", "application/pdf"),
        (b"<html>%PDF-1.4", "text/html"),
    ],
)
def test_a_file_that_is_two_things_is_one_by_precedence(data: bytes, kind: str) -> None:
    assert sniff(data, "x.html") == kind


@given(
    st.sampled_from(
        [b"", b"<", b"{", b"[", b"From ", b"PK\x03\x04", b"\xff\xfe", b"a: b\n", b"ftyp"]
    ),
    st.binary(max_size=300),
    st.sampled_from(["x", "x.html", "x.json", "x.md", "x.docx", "x.", ".x"]),
)
def test_whatever_comes_a_type_is_told(start: bytes, rest: bytes, name: str) -> None:
    kind = SignatureSniffer().sniff(sample(start + rest, FileName(name)))
    assert kind == media_type(kind)
