"""Pictures that are larger than they look, or other than they are named."""

import io
import struct
import zlib
from typing import Any, Final

from PIL import Image

from security.samples import PNG

MEBIBYTE: Final = 1024**2
_HEAD: Final = 33  # bytes of a PNG up to the end of its first chunk


def encoded(kind: str, image: Image.Image | None = None, **more: Any) -> bytes:
    whole = io.BytesIO()
    (image or Image.new("RGB", (400, 300), (200, 30, 30))).save(whole, kind, **more)
    return whole.getvalue()


def png_with(name: bytes, data: bytes) -> bytes:
    """A small picture with one more chunk before its pixels."""
    chunk = struct.pack(">L", len(data)) + name + data
    chunk += struct.pack(">L", zlib.crc32(name + data))
    return PNG[:_HEAD] + chunk + PNG[_HEAD:]


def text_bomb(mebibytes: int) -> bytes:
    """A comment that inflates to so much (zTXt, PNG 11.3.3.3)."""
    return png_with(b"zTXt", b"Comment\0\0" + _zeros(mebibytes))


def profile_bomb(mebibytes: int) -> bytes:
    return png_with(b"iCCP", b"sRGB\0\0" + _zeros(mebibytes))


def frames(number: int) -> bytes:
    """An animated GIF of so many frames of one pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\xff\0\0\0\0\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame * number + b";"


def directories(number: int) -> bytes:
    """A TIFF of so many pages, each one pixel large."""
    data = bytearray(b"II*\0\x08\0\0\0")
    tags = ((256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (278, 1), (279, 1))
    entries = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in tags)
    for page in range(number):
        following = len(data) + 2 + len(entries) + 4 if page < number - 1 else 0
        data += struct.pack("<H", len(tags)) + entries + struct.pack("<L", following)
    return bytes(data)


def located() -> bytes:
    """A JPEG that tells where it was taken, and has a comment as long as EXIF can hold."""
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 30.0, 1.5)
    exif[0x010E] = "a secret place"
    comment = b"a secret place" * 4000
    data = encoded("JPEG", exif=exif, comment=comment)
    more = b"".join(_segment(0xFE, comment) for _ in range(180))  # 10 MB
    return data[:2] + more + data[2:]


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _zeros(mebibytes: int) -> bytes:
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(MEBIBYTE)) for _ in range(mebibytes))
    return packed + packer.flush()


OTHERS: Final = {
    "PSD": b"8BPS\0\x01" + bytes(6) + struct.pack(">HLLHH", 3, 9, 9, 8, 3) + bytes(64),
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
    "FITS": b"SIMPLE  =                    T".ljust(80) + b"BITPIX  = 8".ljust(80) + bytes(2720),
    "ICNS": b"icns" + struct.pack(">L", 16) + b"ic07" + struct.pack(">L", 8),
}
"""Formats that Pillow would open, and docstore does not."""
