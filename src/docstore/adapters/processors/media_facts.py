"""The facts that `extracted.media` holds, out of a file that mutagen opened."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from docstore.adapters.processors.prose import clean
from docstore.domain.findings import Json

MAX_TAGS: Final = 100
MAX_VALUES: Final = 20  # of one tag
MAX_VALUE: Final = 10_000  # characters; lyrics are tags, too

# ID3v2.4 frames, MP4 atoms and ASF attributes, by the names that Vorbis comments have.
_NAMES: Final = {
    "TIT2": "title", "TIT1": "grouping", "TIT3": "subtitle", "TPE1": "artist",
    "TPE2": "albumartist", "TPE3": "conductor", "TALB": "album", "TCOM": "composer",
    "TEXT": "lyricist", "TDRC": "date", "TCON": "genre", "TRCK": "tracknumber",
    "TPOS": "discnumber", "TCOP": "copyright", "TPUB": "publisher", "TENC": "encodedby",
    "TSSE": "encoder", "TLAN": "language", "TSRC": "isrc", "COMM": "comment", "USLT": "lyrics",
    "\xa9nam": "title", "\xa9ART": "artist", "aART": "albumartist", "\xa9alb": "album",
    "\xa9wrt": "composer", "\xa9day": "date", "\xa9gen": "genre", "\xa9cmt": "comment",
    "\xa9lyr": "lyrics", "\xa9grp": "grouping", "\xa9too": "encoder", "cprt": "copyright",
    "desc": "description", "ldes": "description", "trkn": "tracknumber", "disk": "discnumber",
    "tvsh": "show", "Title": "title", "Author": "artist", "WM/AlbumTitle": "album",
    "WM/Genre": "genre", "WM/Year": "date", "Copyright": "copyright", "Description": "description",
}  # fmt: skip
_SPOKEN: Final = frozenset(_NAMES.values()) - {"encoder", "encodedby"} | {
    "performer",
    "organization",
}
_BESIDES: Final = frozenset({"metadata_block_picture", "coverart", "covr"})  # pictures, as texts


def media_facts(file: Any) -> Mapping[str, Json]:
    return {
        "duration_s": number(getattr(file.info, "length", None), 3),
        "codec": _codec(file),
        "bitrate": number(getattr(file.info, "bitrate", None), 0),
        "sample_rate": number(getattr(file.info, "sample_rate", None), 0),
        "channels": number(getattr(file.info, "channels", None), 0),
        "tags": gathered(_pairs(file.tags)),
    }


def spoken(facts: Mapping[str, Json]) -> str:
    """The values of the tags that people write, a line each."""
    tags: Any = facts["tags"]
    told = (value for name, value in tags.items() if name in _SPOKEN)
    return "\n".join(each if isinstance(each, str) else "\n".join(each) for each in told)


def _codec(file: Any) -> str:
    """As an MP4 tells, else what its class is called: FLAC, MP3, OggVorbis."""
    codec = getattr(file.info, "codec", None) or getattr(file.info, "codec_name", None)
    return clean(str(codec))[:64] if codec else type(file).__name__


def gathered(pairs: Iterable[tuple[str, str]]) -> Mapping[str, Json]:
    """Tags, each a text, or a list of such when there are several."""
    found: dict[str, list[str]] = {}
    for name, told in pairs:
        value = clean(told).strip()[:MAX_VALUE]
        values = found.setdefault(name, []) if len(found) < MAX_TAGS else found.get(name, [])
        if value and value not in values and len(values) < MAX_VALUES:
            values.append(value)
    # Libraries give them in an order that hashing decides; the same file gives the same answer.
    told_of = sorted((name, values) for name, values in found.items() if values)
    return {name: values if len(values) > 1 else values[0] for name, values in told_of}


def _pairs(tags: Any) -> Iterator[tuple[str, str]]:
    for key, value in list(tags.items()) if tags else ():
        name = _name(key)
        for text in _texts(value) if name else ():
            yield name, text


def _name(key: object) -> str:
    """Empty for what nobody would read. `COMM:description:language` is an ID3 frame's key."""
    frame, _, description = str(key).partition(":")
    if frame == "TXXX":
        return clean(description).strip().lower()[:64]
    known = _NAMES.get(frame)
    if known is not None:
        return known
    is_comment = frame.islower() and frame.isascii() and len(frame) > 4
    return frame if is_comment and frame not in _BESIDES else ""


def _texts(value: Any) -> Iterator[str]:
    """Frames of ID3 have `text`; other tags are lists of texts, pairs and odd objects."""
    value = getattr(value, "text", value)
    for each in value if isinstance(value, Sequence) and not isinstance(value, str) else [value]:
        if isinstance(each, tuple):
            yield "/".join(str(number) for number in each if number)
        elif not isinstance(each, bytes | bool):
            yield str(each)


def number(value: Any, digits: int) -> Json:
    """Rounded; None for what is none, or is not finite."""
    with suppress(TypeError, ValueError, OverflowError):
        number = float(value)
        if math.isfinite(number) and number >= 0:
            return round(number, digits) if digits else int(number)
    return None
