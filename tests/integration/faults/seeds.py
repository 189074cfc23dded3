"""Whole files of many kinds, for mutations to begin with."""

import bz2
import gzip
import lzma
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from PIL import Image, features

from docstore.entrypoints.demo.samples import write_samples
from security.bombs import office, pdfs, pictures
from unit.adapters.archives import tarred, zipped
from unit.adapters.compound_files import SMALL, compound
from unit.adapters.test_media_processor import ID3, flac, mp3, wav

LARGEST: Final = 1024**2  # bytes; larger ones take long and are no different
SENTENCE: Final = "The lamp was lit at dusk and burned until the morning. "


def seeds(folder: Path) -> list[tuple[str, bytes]]:
    """By name; those of the folder DOCSTORE_TEST_CORPUS, too. `folder` is an empty one."""
    found = [(path.name, path.read_bytes()) for path in write_samples(folder)]
    return [*found, *_documents(), *_archives(), *_pictures(), *_sounds(), *_corpus()]


def _corpus() -> Iterator[tuple[str, bytes]]:
    if told := os.environ.get("DOCSTORE_TEST_CORPUS"):
        for path in sorted(Path(told).rglob("*")):
            if path.is_file() and 0 < path.stat().st_size <= LARGEST:
                yield path.name, path.read_bytes()


def _documents() -> Iterator[tuple[str, bytes]]:
    words = SENTENCE * 20
    yield "a.pdf", pdfs.active()
    yield "outline.pdf", pdfs.looping_sections()
    yield "sheet.xlsx", office.full_sheet(20, 20)
    yield "a.rtf", rf"{{\rtf1\ansi {words}{{\object\objdata 0105}}\'e4\u8364?}}".encode()
    yield "a.xml", f"<?xml version='1.0'?><a b='c'>{'<d>word</d>' * 50}</a>".encode()
    yield "a.svg", office.svg("http://127.0.0.1:9", "", words)
    book = "http://www.gribuser.ru/xml/fictionbook/2.0"
    yield "a.fb2", f"<FictionBook xmlns='{book}'><body><p>{words}</p></body></FictionBook>".encode()
    yield "a.ipynb", b'{"nbformat":4,"cells":[{"cell_type":"markdown","source":["words"]}]}'
    yield "a.mbox", b"From a@b Thu Jan  1 00:00:00 1970\nSubject: one\nFrom: a@b\n\nwords\n" * 9
    yield "utf16.txt", words.encode("utf-16")
    yield "latin.txt", ("Größe und Maß. " * 20).encode("latin-1")
    streams = {name: words.encode().ljust(SMALL, b"\0") for name in ("WordDocument", "1Table")}
    yield "a.doc", compound(streams)
    yield "a.xls", compound({"Workbook": b"\x09\x08\x10\0\0\x06\5\0".ljust(SMALL, b"\0")})
    yield "a.msg", compound({"__properties_version1.0": bytes(SMALL)})
    yield "a.epub", _epub(words)


def _epub(words: str) -> bytes:
    container = "<container><rootfiles><rootfile full-path='a.opf'/></rootfiles></container>"
    package = "<package><metadata/><manifest><item id='a' href='a.xhtml'/></manifest></package>"
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "a.opf": package,
            "a.xhtml": f"<html><body><p>{words}</p></body></html>",
        }
    )


def _archives() -> Iterator[tuple[str, bytes]]:
    members = {"a.txt": SENTENCE.encode() * 50, "b/c.docx": office.docx(SENTENCE)}
    yield "a.zip", zipped({**members, "inner.zip": zipped({**members})})
    yield "a.tar", tarred(members)
    yield "a.tgz", gzip.compress(tarred(members))
    yield "a.gz", gzip.compress(members["a.txt"])
    yield "a.bz2", bz2.compress(members["a.txt"])
    yield "a.xz", lzma.compress(members["a.txt"])


def _pictures() -> Iterator[tuple[str, bytes]]:
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("PNG", {}), ("JPEG", {"progressive": True}), ("GIF", {}), ("BMP", {}), ("WEBP", {}),
        ("TIFF", {"compression": "tiff_lzw"}), ("TIFF", {"compression": "jpeg"}),
        ("TIFF", {"compression": "tiff_deflate"}),
    ]  # fmt: skip
    if features.check("avif"):
        kinds.append(("AVIF", {}))
    noise = Image.effect_noise((160, 120), 80).convert("RGB")
    for kind, options in kinds:
        yield f"a.{kind.lower()}", pictures.encoded(kind, noise, **options)
    frames = [noise.rotate(angle) for angle in (90, 180)]
    yield "moving.gif", pictures.encoded("GIF", noise, save_all=True, append_images=frames)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, SENTENCE
    yield "turned.jpg", pictures.encoded("JPEG", noise, exif=exif, icc_profile=bytes(200))


def _sounds() -> Iterator[tuple[str, bytes]]:
    yield "a.wav", wav()
    yield "a.flac", flac([f"TITLE={SENTENCE}"])
    yield "a.mp3", mp3(ID3.TIT2(encoding=3, text=[SENTENCE]))
