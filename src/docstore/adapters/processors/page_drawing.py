"""A page of a PDF, drawn as far as there is time for."""

import ctypes
import math
import time
from contextlib import closing
from typing import Any, Final

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image

MAX_SCALE: Final = 300 / 72
"""Pixels for each point, at most: a visiting card is not blown up further."""

_WHITE: Final = (255, 255, 255, 255)
_FLAGS: Final = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER


def drawn(document: Any, number: int, box: tuple[int, int], seconds: float) -> tuple[Any, bool]:
    """The page as a Pillow image that fits into `box`, and whether it is all of it.

    Forms are drawn as they are filled in, when `init_forms` was called. This build of the library
    runs no script. Raises PdfiumError when there is no such page.
    """
    with closing(document[number]) as page:
        width, height = _size(page.get_width(), page.get_height(), box)
        with closing(
            pypdfium2.PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGR, rev_byteorder=True)
        ) as bitmap:
            bitmap.fill_rect(_WHITE, 0, 0, width, height)
            is_whole = _draw(page, bitmap, (width, height), time.monotonic() + seconds)
            image: Image.Image = bitmap.to_pil()
            return image.copy(), is_whole  # its pixels are the bitmap's, which is closed


def _size(width: float, height: float, box: tuple[int, int]) -> tuple[int, int]:
    """In pixels, of a page in points. Pages may claim any size."""
    width, height = (side if math.isfinite(side) and side > 0 else 1.0 for side in (width, height))
    scale = min(box[0] / width, box[1] / height, MAX_SCALE)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _draw(page: Any, bitmap: Any, size: tuple[int, int], until: float) -> bool:
    pause = pdfium.IFSDK_PAUSE(version=1)
    pypdfium2.internal.set_callback(pause, "NeedToPauseNow", lambda _: time.monotonic() > until)
    where = (bitmap, page, 0, 0, *size, 0, _FLAGS)
    status = pdfium.FPDF_RenderPageBitmap_Start(*where, ctypes.byref(pause))
    pdfium.FPDF_RenderPage_Close(page)
    if status == pdfium.FPDF_RENDER_FAILED:
        raise pypdfium2.PdfiumError("the page cannot be drawn")
    if page.formenv:
        pdfium.FPDF_FFLDraw(page.formenv, *where)
    return bool(status == pdfium.FPDF_RENDER_DONE)
