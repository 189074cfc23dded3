"""Small files of many kinds, made on the spot."""

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from docstore.entrypoints.demo import office

TITLE: Final = "The lighthouse keeper's notes"
LINES: Final = (
    "The lamp was lit at dusk and burned until the morning.",
    "Two ships passed in the night; both answered the signal.",
    "The wind turned north-west at four, and the rain stopped.",
)
_ROWS: Final = (
    ("day", "ship", "answered"),
    ("Monday", "Aurora", "yes"),
    ("Tuesday", "Bonaventure", "yes"),
    ("Wednesday", "Calypso", "no"),
)
_SKY: Final = (24, 44, 92)
_LIGHT: Final = (255, 214, 102)

_EXIF: Final[Mapping[int, str]] = {271: "Docstore", 272: "Demo", 306: "2025:01:31 06:30:00"}
"""Tag to value: the camera's make and model, and when it was."""


def write_samples(folder: Path) -> list[Path]:
    """One file of each kind in `folder`, which exists."""
    paths = []
    for name, make in _SAMPLES.items():
        path = folder / name
        path.write_bytes(make())
        paths.append(path)
    return paths


def _text() -> bytes:
    return "\n".join((TITLE, "", *LINES, "")).encode()


def _markdown() -> bytes:
    items = "\n".join(f"- {line}" for line in LINES)
    return f"# {TITLE}\n\n{items}\n".encode()


def _csv() -> bytes:
    return "\r\n".join(",".join(row) for row in (*_ROWS, ())).encode()


def _json() -> bytes:
    head, *rows = _ROWS
    log = [dict(zip(head, row, strict=True)) for row in rows]
    return json.dumps({"title": TITLE, "log": log}, indent=2).encode()


def _html() -> bytes:
    paragraphs = "".join(f"<p>{line}</p>" for line in LINES)
    head = f'<!doctype html><html lang="en"><head><title>{TITLE}</title></head>'
    return f"{head}<body><h1>{TITLE}</h1>{paragraphs}</body></html>".encode()


def _mail() -> bytes:
    head = (
        "From: Keeper <keeper@example.org>",
        "To: Harbour <harbour@example.org>",
        f"Subject: {TITLE}",
        "Date: Fri, 31 Jan 2025 06:30:00 +0000",
        "Message-ID: <notes-1@example.org>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
    )
    return "\r\n".join((*head, "", *LINES, "")).encode()


def _pdf() -> bytes:
    """One page, by hand: five objects, and the table that says where each of them begins."""
    shown = " ".join(f"({line}) ' " for line in (TITLE, *LINES))
    stream = f"BT /F1 14 Tf 20 TL 60 740 Td {shown} ET".encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body, starts = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        starts.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % start for start in starts)
    size = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + b"xref\n0 %d\n%s%s" % (size, table, trailer)


def _picture(width: int, height: int) -> Image.Image:
    """A lighthouse at night."""
    picture = Image.new("RGB", (width, height), _SKY)
    draw = ImageDraw.Draw(picture)
    middle, top = width // 2, height // 4
    draw.polygon([(middle, top), (width, top // 2), (width, top * 2)], fill=_LIGHT)
    tower = [middle - width // 24, top, middle + width // 24, height]
    draw.rectangle(tower, fill=(236, 236, 236))
    draw.rectangle([0, height - height // 8, width, height], fill=(16, 26, 48))
    return picture


def _png() -> bytes:
    file = BytesIO()
    _picture(640, 480).save(file, "PNG")
    return file.getvalue()


def _jpeg() -> bytes:
    exif = Image.Exif()
    for tag, value in _EXIF.items():
        exif[tag] = value
    file = BytesIO()
    _picture(1600, 1200).save(file, "JPEG", quality=85, exif=exif)
    return file.getvalue()


_SAMPLES: Final[Mapping[str, Callable[[], bytes]]] = {
    "notes.txt": _text,
    "notes.md": _markdown,
    "log.csv": _csv,
    "log.json": _json,
    "notes.html": _html,
    "report.eml": _mail,
    "notes.pdf": _pdf,
    "notes.docx": lambda: office.docx((TITLE, *LINES)),
    "log.xlsx": lambda: office.xlsx(_ROWS),
    "notes.odt": lambda: office.odt(TITLE, LINES),
    "lighthouse.png": _png,
    "lighthouse.jpg": _jpeg,
}
