from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, BinaryIO, Final

from docstore.adapters.processors import film_reader
from docstore.adapters.processors.film_reader import FILMS, film_facts
from docstore.adapters.processors.media_facts import media_facts, spoken
from docstore.adapters.processors.text_findings import text_findings
from docstore.application.ports.processor import Findings, Kind, Limits, ProcessorOptions, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.findings import Json
from docstore.domain.names import MediaType

READ: Final = {
    "audio/aac": ("aac:AAC",),
    "audio/flac": ("flac:FLAC",),
    "audio/mp4": ("mp4:MP4",),
    "audio/mpeg": ("mp3:MP3",),
    "audio/ogg": ("oggvorbis:OggVorbis", "oggopus:OggOpus", "oggflac:OggFLAC", "oggspeex:OggSpeex"),
    "audio/wav": ("wave:WAVE",),
    "audio/x-aiff": ("aiff:AIFF",),
    "video/3gpp": ("mp4:MP4",),
    "video/mp4": ("mp4:MP4",),
    "video/quicktime": ("mp4:MP4",),
    "video/x-ms-wmv": ("asf:ASF",),
}
"""By which classes of mutagen each type is read: the one whose header it has."""


class MediaProcessor:
    """Duration, codec and tags of sounds and films. Decodes neither."""

    name = "media"
    version = "2"
    yields = (Kind.FACTS, Kind.TEXT)

    def __init__(self, options: ProcessorOptions = ProcessorOptions()) -> None:  # noqa: B008 # frozen
        self._options = options
        self.limits = Limits(seconds=options.seconds / 2, memory=options.memory)

    def preload(self) -> None:
        from docstore.adapters.processors.libraries import preload

        preload(self._options)
        for media_type in READ:
            _classes(MediaType(media_type))
        film_reader.load()

    def accepts(self, media_type: MediaType) -> bool:
        return media_type in READ or media_type in FILMS

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        with _library_errors():
            facts = _facts(body, subject.media_type)
        return text_findings(spoken(facts), self._options, {"media": facts})


def _facts(body: BinaryIO, media_type: MediaType) -> Mapping[str, Json]:
    if media_type in FILMS:
        return film_facts(body, media_type)
    return media_facts(_opened(body, media_type))


def _opened(body: BinaryIO, media_type: MediaType) -> Any:
    import mutagen

    found = mutagen.File(body, options=_classes(media_type))
    if found is None:
        raise ProcessingFailed(FailureCode.CORRUPT, f"not a whole file of {media_type}")
    return found


def _classes(media_type: MediaType) -> list[Any]:
    told = (each.split(":") for each in READ[media_type])
    return [getattr(import_module(f"mutagen.{module}"), name) for module, name in told]


@contextmanager
def _library_errors() -> Iterator[None]:
    """The only place where errors of mutagen and MediaInfo become docstore's.

    Broken files make them raise errors of other kinds than their own, too. mutagen wraps those of
    the disk.
    """
    try:
        yield
    except (ProcessingFailed, MemoryError):
        raise
    except Exception as error:
        for each in (error, error.__cause__, error.__context__):
            if isinstance(each, OSError) and each.errno is not None:
                raise each from None
        message = f"not a whole sound or film: {str(error)[:200]}"
        raise ProcessingFailed(FailureCode.CORRUPT, message) from error
