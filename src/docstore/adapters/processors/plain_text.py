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
GUESSED_FROM: Final = 64 * 1024  # bytes; more of them take long and change no guess
USUAL: Final = "cp1252"
DOUBT: Final = 0.1  # of a library that took French for Baltic by less than that


def decode(data: bytes) -> str:
    """The text. `data` may be cut off in the middle of a character."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _lenient(data[len(mark) :], encoding)
    if utf16 := _utf16_by_its_zeros(data[:SAMPLE]):
        return _lenient(data, utf16)
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return _lenient(data, _legacy_encoding(data))


def _legacy_encoding(data: bytes) -> str:
    """The likeliest of the encodings from before Unicode; in doubt the most used one."""
    from charset_normalizer import from_bytes

    matches = from_bytes(data[:GUESSED_FROM])
    best = matches.best()
    if best is None:
        return "latin-1"
    usual = next((each for each in matches if each.encoding == USUAL), best)
    mess, sense = usual.chaos - best.chaos, usual.coherence - best.coherence
    return usual.encoding if mess < DOUBT and sense > -DOUBT else best.encoding


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
