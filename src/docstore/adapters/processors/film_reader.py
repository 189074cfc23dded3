"""Everything that knows the library MediaInfo, which reads the films that mutagen does not."""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from docstore.adapters.processors.media_facts import gathered, number
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.findings import Json
from docstore.domain.names import MediaType

FILMS: Final = frozenset(
    {
        "audio/webm", "audio/x-matroska", "video/mpeg", "video/webm", "video/x-flv",
        "video/x-matroska", "video/x-msvideo",
    }
)  # fmt: skip

_TAGS: Final = {
    "title": "title", "performer": "artist", "artist": "artist", "director": "director",
    "album": "album", "genre": "genre", "comment": "comment", "description": "description",
    "recorded_date": "date", "copyright": "copyright", "lyrics": "lyrics", "subject": "subject",
    "keywords": "keywords", "writing_application": "encoder",
}  # fmt: skip


def load() -> None:
    """Its shared library, which a child of the jail could not open, but finds when it is there."""
    from pymediainfo import MediaInfo

    if not MediaInfo.can_parse():
        raise ImportError("no library of MediaInfo can be loaded", name="pymediainfo")


def film_facts(body: BinaryIO, media_type: MediaType) -> Mapping[str, Json]:
    """The same as of a sound. Raises ProcessingFailed when there is nothing to see or to hear."""
    from pymediainfo import MediaInfo

    found: Any = MediaInfo.parse(body)
    general = _first(found.general_tracks)
    film, sound = _first(found.video_tracks), _first(found.audio_tracks)
    if not (film or sound):
        raise ProcessingFailed(FailureCode.CORRUPT, f"not a whole file of {media_type}")
    milliseconds = number(general.get("duration") or film.get("duration"), 0)
    return {
        "duration_s": milliseconds / 1000 if isinstance(milliseconds, int) else None,
        "codec": film.get("format") or sound.get("format"),
        "bitrate": number(general.get("overall_bit_rate"), 0),
        "sample_rate": number(sound.get("sampling_rate"), 0),
        "channels": number(sound.get("channel_s"), 0),
        "tags": gathered(_pairs(general)),
    }


def _first(tracks: Any) -> Mapping[str, Any]:
    return tracks[0].to_data() if tracks else {}


def _pairs(general: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, name in _TAGS.items():
        if value := general.get(key):
            yield name, str(value)
