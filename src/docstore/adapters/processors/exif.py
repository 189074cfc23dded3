"""A camera's notes as JSON: names for numbers, no bytes, no oddities, never too much."""

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from docstore.adapters.processors.prose import clean
from docstore.domain.findings import Json

MAX_TAGS: Final = 200
MAX_STRING: Final = 500  # characters
MAX_ITEMS: Final = 32
PLUMBING: Final = frozenset(
    {
        "ImageWidth", "ImageLength", "BitsPerSample", "Compression", "PhotometricInterpretation",
        "FillOrder", "StripOffsets", "RowsPerStrip", "StripByteCounts", "PlanarConfiguration",
        "SamplesPerPixel", "SampleFormat", "ExtraSamples", "Predictor", "TileWidth", "TileLength",
        "TileOffsets", "TileByteCounts", "ColorMap", "JPEGTables", "JpegIFOffset", "SubIFDs",
        "JpegIFByteCount", "ExifOffset", "GPSInfo", "ExifInteroperabilityOffset",
    }
)  # fmt: skip
"""Tags that say where in the file the pixels are, not how they came to be."""


def exif_facts(image: Any) -> Mapping[str, Json]:
    """The tags of a Pillow image; what cannot be read is left out."""
    from PIL import ExifTags

    facts: dict[str, Json] = {}
    with suppress(Exception):  # a broken note spoils no picture, and Pillow raises what it likes
        exif = image.getexif()
        facts.update(_named(exif, ExifTags.TAGS))
        facts.update(_named(exif.get_ifd(ExifTags.IFD.Exif), ExifTags.TAGS))
        facts.update(_named(exif.get_ifd(ExifTags.IFD.GPSInfo), ExifTags.GPSTAGS))
    return dict(list(facts.items())[:MAX_TAGS])


def _named(tags: Mapping[int, object], names: Mapping[int, str]) -> Mapping[str, Json]:
    told = ((names.get(tag), value) for tag, value in tags.items())
    pairs = ((name, _value(value)) for name, value in told if name not in PLUMBING)
    return {name: value for name, value in pairs if name is not None and value is not None}


def _value(value: object) -> Json:
    """As JSON, or None."""
    if isinstance(value, str):
        return clean(value).strip()[:MAX_STRING] or None
    if isinstance(value, bool | int):
        return value if abs(value) < 2**53 else None
    if isinstance(value, tuple):
        items = [_value(each) for each in value[:MAX_ITEMS]]
        return None if None in items or not items else items
    return None if isinstance(value, bytes | Mapping) else _number(value)


def _number(value: Any) -> Json:
    """Pillow's fractions, which may have a zero below the line."""
    try:
        number = float(value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return round(number, 8) if math.isfinite(number) else None
