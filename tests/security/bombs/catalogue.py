"""The files of chapter 3.7, and how each has to end."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from security.bombs import archives, office, pdfs, pictures, texts
from security.samples import PNG, png

NOISE: Final = random.Random(0).randbytes(1024**2)
CORRUPT: Final = frozenset({"corrupt"})
LARGE: Final = frozenset({"archive_too_large"})
PIXELS: Final = frozenset({"too_many_pixels"})
MEMORY: Final = frozenset({"memory"})


@dataclass(frozen=True, slots=True)
class Lures:
    """What a file would get hold of, or touch, if its reader let it."""

    address: str  # of somebody who listens
    secret: Path  # a file
    target: Path  # where a file would come to be


@dataclass(frozen=True, slots=True, kw_only=True)
class Bomb:
    id: str
    sent: str
    name: str
    make: Callable[[], bytes]
    codes: frozenset[str] = frozenset()  # one of which it fails with; none: it is processed
    warning: str | None = None
    says: str = ""  # that is in its text
    media_type: str | None = None
    pictures: bool | None = None  # whether it has renditions; None: no matter

    def __str__(self) -> str:
        return f"{self.id} {self.sent}"


# fmt: off
def bombs(lures: Lures) -> list[Bomb]:
    return [*chain(_office(lures), _pictures(), _pdfs(), _archives(lures), _texts(), _others())]


def _office(lures: Lures) -> Iterator[Bomb]:
    reads, fetches = office.fetching(lures.secret.as_uri()), office.fetching(lures.address)
    cell = '<row r="1"><c t="inlineStr"><is><t>before &x; after</t></is></c></row>'
    yield Bomb(id="B1", sent="a docx that unpacks to 540 MiB", name="a.docx", codes=LARGE,
               make=lambda: office.heavy_docx(540))
    yield Bomb(id="B2", sent="a docx of one text of 1 GiB", name="a.docx", codes=LARGE,
               make=lambda: office.heavy_docx(1024))
    yield Bomb(id="B2", sent="the same that lies about it", name="a.docx", codes=CORRUPT | MEMORY,
               make=lambda: office.heavy_docx(540, honest=False))
    yield Bomb(id="B3", sent="a docx of a billion laughs", name="a.docx", codes=CORRUPT,
               make=lambda: office.docx("&a9;", office.LAUGHS))
    yield Bomb(id="B3", sent="XML of a billion laughs", name="a.xml",
               make=lambda: f"{office.LAUGHS}<a>&a9;</a>".encode())
    yield Bomb(id="B3", sent="a docx 100,000 elements deep", name="a.docx", says="deep",
               make=lambda: office.deep_docx(100_000))
    yield Bomb(id="B3", sent="XML 100,000 elements deep", name="a.xml", says="deep",
               make=lambda: office.deep_xml(100_000))
    for what, declared in (("reads", reads), ("fetches", fetches)):
        yield Bomb(id="B4", sent=f"a docx that {what}", name="a.docx",
                   make=lambda x=declared: office.docx("before &x; after", x))  # type: ignore[misc]
        yield Bomb(id="B4", sent=f"an xlsx that {what}", name="a.xlsx",
                   make=lambda x=declared: office.xlsx(cell, x))  # type: ignore[misc]
        yield Bomb(id="B4", sent=f"an SVG that {what}", name="a.svg",
                   make=lambda x=declared: office.svg(lures.address, x, "a &x; b"))  # type: ignore[misc]
    yield Bomb(id="B5", sent="an xlsx of 3,000,000 cells", name="a.xlsx", warning="truncated",
               make=lambda: office.full_sheet(30_000, 100), says="661002")
    yield Bomb(id="B6", sent="an xlsx with a cell at the far end", name="a.xlsx", says="7",
               make=office.far_cell)
    yield Bomb(id="B11", sent="an SVG with scripts and entities", name="a.svg", pictures=False,
               make=lambda: office.svg(lures.address, office.LAUGHS, "&a9;"))


def _pictures() -> Iterator[Bomb]:
    yield Bomb(id="B7", sent="a PNG of 50,000 x 50,000 pixels", name="a.png", codes=PIXELS,
               make=lambda: png(50_000, 50_000, data=b"\0" * 6251 * 100))
    yield Bomb(id="B8", sent="a PNG of 13,000 x 13,000 pixels", name="a.png", codes=PIXELS,
               make=lambda: png(13_000, 13_000, depth=8, colour=2, data=bytes(39_001 * 100)))
    yield Bomb(id="B9", sent="a PNG whose comment inflates to 500 MiB", name="a.png",
               codes=CORRUPT, make=lambda: pictures.text_bomb(500))
    yield Bomb(id="B9", sent="a PNG whose profile inflates to 500 MiB", name="a.png",
               codes=CORRUPT, make=lambda: pictures.profile_bomb(500))
    yield Bomb(id="B9", sent="a GIF of 100,000 frames", name="a.gif", pictures=True,
               make=lambda: pictures.frames(100_000))
    yield Bomb(id="B9", sent="a TIFF of 100,000 pages", name="a.tif", pictures=True,
               make=lambda: pictures.directories(100_000))
    for kind, data in pictures.OTHERS.items():
        yield Bomb(id="B10", sent=f"{kind} named .png", name="a.png", warning="type_mismatch",
                   pictures=False, make=lambda x=data: x)  # type: ignore[misc]
    yield Bomb(id="B20", sent="a PNG of noise", name="a.png", codes=CORRUPT,
               make=lambda: PNG[:33] + NOISE)
    yield Bomb(id="B20", sent="half a PNG", name="a.png", codes=CORRUPT,
               make=lambda: png(100, 100, depth=8, data=NOISE[:10_100])[:5000])
    yield Bomb(id="B20", sent="half a JPEG", name="a.jpg", codes=CORRUPT,
               make=lambda: b"\xff\xd8\xff\xe0\0\x10JFIF\0" + NOISE[:99])


def _pdfs() -> Iterator[Bomb]:
    yield Bomb(id="B12", sent="a PDF with 70 MiB of content", name="a.pdf", codes=MEMORY,
               make=lambda: pdfs.long_content(70))
    yield Bomb(id="B13", sent="a PDF that inflates thrice to 2 GB", name="a.pdf", codes=MEMORY,
               make=lambda: pdfs.nested_filters(2000))
    yield Bomb(id="B14", sent="a PDF of the same page 100,000 times", name="a.pdf", says="again",
               warning="truncated", make=lambda: pdfs.many_kids(100_000))
    yield Bomb(id="B15", sent="a PDF whose pages are their own children", name="a.pdf",
               codes=CORRUPT, make=pdfs.looping_pages)
    yield Bomb(id="B15", sent="a PDF whose cross-reference table follows itself", name="a.pdf",
               says="once", make=pdfs.looping_sections)
    yield Bomb(id="B15", sent="a PDF whose outline and thread never end", name="a.pdf",
               codes=CORRUPT | {"crashed"}, make=pdfs.looping_outline)
    yield Bomb(id="B16", sent="a PDF of arrays 100,000 deep", name="a.pdf", codes=CORRUPT,
               make=lambda: pdfs.deep_arrays(100_000))
    yield Bomb(id="B17", sent="an encrypted PDF", name="a.pdf", warning="encrypted",
               pictures=False, make=pdfs.encrypted)
    yield Bomb(id="B17", sent="half a PDF", name="a.pdf", codes=CORRUPT,
               make=lambda: pdfs.active()[:500])
    yield Bomb(id="B17", sent="a PDF without pages", name="a.pdf", codes=CORRUPT,
               make=pdfs.no_pages)
    yield Bomb(id="B17", sent="a PDF with actions, scripts and a file", name="a.pdf",
               says="attached", pictures=True, make=pdfs.active)
    yield Bomb(id="B20", sent="a PDF of 50 MiB of noise", name="a.pdf", codes=CORRUPT,
               make=lambda: b"%PDF-1.7\n" + NOISE * 50)


def _archives(lures: Lures) -> Iterator[Bomb]:
    yield Bomb(id="B18", sent="a zip of 2 GiB in 9 MB", name="a.zip", codes=LARGE,
               make=lambda: archives.heavy("a.txt", 2048, {}))
    yield Bomb(id="B18", sent="a zip of 600 MiB that claims 1,000 bytes", name="a.zip",
               warning="partial",
               make=lambda: archives.lying(archives.heavy("a.txt", 600, {}), "a.txt", 1000))
    yield Bomb(id="B18", sent="42.zip", name="42.zip", codes=LARGE, make=archives.forty_two)
    yield Bomb(id="B18", sent="a zip of 100,000 entries", name="a.zip", codes=LARGE,
               make=lambda: archives.crowded(100_000))
    yield Bomb(id="B18", sent="a zip whose entries overlap", name="a.zip", codes=LARGE,
               make=lambda: archives.overlapping(1000))
    yield Bomb(id="B18", sent="a zip64 that lies", name="a.zip", codes=CORRUPT,
               make=archives.zip64_that_lies)
    yield Bomb(id="B18", sent="a zip that wants to be elsewhere", name="a.zip", says="overwritten",
               make=lambda: archives.escaping(str(lures.target)))
    yield Bomb(id="B18", sent="a gzip of 600 MiB", name="a.gz", warning="partial",
               make=lambda: archives.squeezed(600))


def _texts() -> Iterator[Bomb]:
    yield Bomb(id="B19", sent="100 MiB on one line", name="a.txt", warning="truncated",
               make=lambda: texts.one_line(100))
    yield Bomb(id="B19", sent="36 MiB of UTF-16", name="a.txt", warning="truncated",
               make=lambda: ("words " * (3 * 1024**2)).encode("utf-16"))
    yield Bomb(id="B19", sent="text that a regular expression backtracks over", name="a.txt",
               make=texts.BACKTRACKS.encode)
    yield Bomb(id="B28", sent="text that moves a terminal", name="a.txt", says="red",
               make=texts.COLOURS.encode)
    yield Bomb(id="B28", sent="a page that spells controls and surrogates", name="a.html",
               says="after", make=texts.SPELLED.encode)
    yield Bomb(id="B28", sent="a document in RTF of lone surrogates", name="a.rtf", says="after",
               make=texts.RTF.encode)
    yield Bomb(id="B28", sent="text with zeros", name="a.txt", make=lambda: b"words\0words")
    yield Bomb(id="B28", sent="UTF-16 of lone surrogates", name="a.txt", make=texts.surrogates)
    yield Bomb(id="B28", sent="a letter under 1,000,000 marks", name="a.txt",
               make=texts.PILE.encode)


def _others() -> Iterator[Bomb]:
    both = pdfs.spoken(pdfs.words("seen")) + archives.zipped({"a.txt": "hidden"})
    yield Bomb(id="B21", sent="a PDF that is a zip", name="a.pdf", says="seen",
               media_type="application/pdf", make=lambda: both)
    yield Bomb(id="B21", sent="a GIF that is a script", name="a.gif", warning="type_mismatch",
               media_type="text/plain", pictures=False, make=lambda: b"GIF89a=1;alert(1);//")
    yield Bomb(id="B21", sent="a JPEG that is a page of PHP", name="a.jpg",
               media_type="image/jpeg",
               make=lambda: pictures.encoded("JPEG", comment=b"<?php system($_GET[0]); ?>"))
    yield Bomb(id="B29", sent="a JPEG that tells where it was taken", name="a.jpg", pictures=True,
               make=pictures.located)
