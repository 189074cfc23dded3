"""Text as it stands in the file: found out in which encoding, otherwise left alone."""

import codecs
from typing import Final

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
SAMPLE: Final = 4096  # bytes looked at for UTF-16 without a mark


def decode(data: bytes) -> str | None:
    """The text, or None when it is in none of Unicode's encodings.

    `data` may be cut off in the middle of a character.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _lenient(data[len(mark) :], encoding)
    if utf16 := _utf16_by_its_zeros(data[:SAMPLE]):
        return _lenient(data, utf16)
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return None


def _lenient(data: bytes, encoding: str) -> str:
    return codecs.getincrementaldecoder(encoding)("replace").decode(data)


def _utf16_by_its_zeros(sample: bytes) -> str | None:
    """Latin letters, spaces and line ends have a zero byte in UTF-16, always on the same side."""
    pairs = len(sample) // 2
    if pairs < 2:
        return None
    even, odd = sample[: 2 * pairs : 2].count(0), sample[1 : 2 * pairs : 2].count(0)
    if odd > pairs // 3 and even * 16 < odd:
        return "utf-16-le"
    if even > pairs // 3 and odd * 16 < even:
        return "utf-16-be"
    return None
