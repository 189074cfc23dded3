"""Files whose reading is measured, made on the spot."""

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Final

from PIL import Image

WORDS: Final = (
    "lamp", "dusk", "morning", "ship", "harbour", "signal", "keeper", "wind", "north", "rain",
    "night", "tower", "stairs", "oil", "glass", "storm", "letter", "boat", "island", "winter",
)  # fmt: skip
TEXT: Final = 10 * 1024  # bytes
PAGES: Final = 100
PDF: Final = 1024**2  # bytes, about
MEGAPIXELS: Final = (4000, 3000)


def sample(kind: str, folder: Path) -> Path:
    """A file of that kind: `text`, `pdf` or `jpeg`."""
    path = folder / f"sample.{kind}"
    if not path.exists():
        path.write_bytes(_MAKERS[kind]())
    return path


def _prose(size: int) -> str:
    dice = Random(size)
    words = (dice.choice(WORDS) for _ in range(size // 3))
    return " ".join(words)[:size]


def _text() -> bytes:
    return _prose(TEXT).encode()


def _pdf() -> bytes:
    """Pages of text in uncompressed streams."""
    kids = " ".join(f"{3 + 2 * n} 0 R" for n in range(PAGES))
    font = "<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {PAGES}>>",
    ]
    for number in range(PAGES):
        content = _page(number)
        objects += [
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {4 + 2 * number} 0 R"
            f"/Resources{font}>>",
            f"<</Length {len(content)}>>stream\n{content}\nendstream",
        ]
    return _assembled(objects)


def _page(number: int) -> str:
    prose = _prose(PDF // PAGES - 600 + number)
    lines = "".join(f"({prose[at : at + 90]}) ' " for at in range(0, len(prose), 90))
    return f"BT /F 5 Tf 6 TL 40 800 Td {lines} ET"


def _assembled(objects: list[str]) -> bytes:
    data, table = bytearray(b"%PDF-1.7\n"), ""
    for number, each in enumerate(objects, 1):
        table += f"{len(data):010} 00000 n \n"
        data += f"{number} 0 obj\n{each}\nendobj\n".encode()
    size = len(objects) + 1
    end = f"trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{len(data)}\n%%EOF\n"
    return bytes(data) + f"xref\n0 {size}\n0000000000 65535 f \n{table}{end}".encode()


def _jpeg() -> bytes:
    """As noisy as a photo: some 3 MB."""
    coarse = Image.frombytes("RGB", (400, 300), Random(1).randbytes(400 * 300 * 3))
    file = BytesIO()
    coarse.resize(MEGAPIXELS, Image.Resampling.BICUBIC).save(file, "JPEG", quality=85)
    return file.getvalue()


_MAKERS: Final[Mapping[str, Callable[[], bytes]]] = {"text": _text, "pdf": _pdf, "jpeg": _jpeg}
