"""Everything that knows the library kreuzberg, which reads most document formats."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.names import MediaType

LANGUAGE_SAMPLE: Final = 20_000  # characters; more of them change no answer
MIN_LANGUAGE_SAMPLE: Final = 40
MAX_DEPTH: Final = 4  # of members within members whose text is taken

_PASSWORD: Final = ("password-protected", "password protected", "encrypted")
_ISO_639_1: Final[Mapping[str, str]] = {
    "afr": "af", "aka": "ak", "amh": "am", "ara": "ar", "aze": "az", "bel": "be", "ben": "bn",
    "bul": "bg", "cat": "ca", "ces": "cs", "cmn": "zh", "dan": "da", "deu": "de", "ell": "el",
    "eng": "en", "epo": "eo", "est": "et", "fin": "fi", "fra": "fr", "guj": "gu", "heb": "he",
    "hin": "hi", "hrv": "hr", "hun": "hu", "hye": "hy", "ind": "id", "ita": "it", "jav": "jv",
    "jpn": "ja", "kan": "kn", "kat": "ka", "khm": "km", "kor": "ko", "lat": "la", "lav": "lv",
    "lit": "lt", "mal": "ml", "mar": "mr", "mkd": "mk", "mya": "my", "nep": "ne", "nld": "nl",
    "nob": "nb", "ori": "or", "pan": "pa", "pes": "fa", "pol": "pl", "por": "pt", "ron": "ro",
    "rus": "ru", "sin": "si", "slk": "sk", "slv": "sl", "sna": "sn", "spa": "es", "srp": "sr",
    "swe": "sv", "tam": "ta", "tel": "te", "tgl": "tl", "tha": "th", "tuk": "tk", "tur": "tr",
    "ukr": "uk", "urd": "ur", "uzb": "uz", "vie": "vi", "yid": "yi", "zul": "zu",
}  # fmt: skip


class Encrypted(Exception):
    """It takes a password to read the file."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one document."""

    text: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


def read(data: bytes, media_type: MediaType) -> Reading:
    """The text, with that of whatever is attached or embedded, and the metadata.

    Raises Encrypted, or ProcessingFailed when the library cannot read it.
    """
    import kreuzberg

    with _kreuzberg_errors(media_type):
        result = kreuzberg.extract_bytes_sync(data, media_type, _documents())
    return Reading("\n\n".join(_texts(result, MAX_DEPTH)), dict(result.metadata))


def language(text: str) -> str | None:
    """ISO 639-1, or None when the text is too short or none is likely enough."""
    import kreuzberg

    sample = text[:LANGUAGE_SAMPLE]
    if len(sample) < MIN_LANGUAGE_SAMPLE:
        return None
    with _kreuzberg_errors(MediaType("text/plain")):
        result = kreuzberg.extract_bytes_sync(sample.encode(), "text/plain", _languages())
    found = result.detected_languages or [""]
    return _ISO_639_1.get(found[0])


@cache
def _documents() -> Any:
    import kreuzberg

    return kreuzberg.ExtractionConfig(  # type: ignore[call-arg] # its stub lacks disable_ocr
        use_cache=False,
        disable_ocr=True,
        enable_quality_processing=False,  # guesses what is noise, and drops it
        content_filter=kreuzberg.ContentFilterConfig(
            include_headers=True,
            include_footers=True,
            strip_repeating_text=False,
            include_watermarks=True,
        ),
        pdf_options=kreuzberg.PdfConfig(extract_annotations=True),
    )


@cache
def _languages() -> Any:
    import kreuzberg

    return kreuzberg.ExtractionConfig(  # type: ignore[call-arg] # its stub lacks disable_ocr
        use_cache=False,
        disable_ocr=True,
        enable_quality_processing=False,
        language_detection=kreuzberg.LanguageDetectionConfig(enabled=True),
    )


def _texts(result: Any, depth: int) -> Iterator[str]:
    yield result.content
    children: Sequence[Mapping[str, Any]] = result.children or ()
    if depth:
        for each in children:
            yield from _texts(each["result"], depth - 1)


@contextmanager
def _kreuzberg_errors(media_type: MediaType) -> Iterator[None]:
    """The only place where the library's errors become docstore's."""
    import kreuzberg

    try:
        yield
    except kreuzberg.KreuzbergError as error:
        message = str(error).partition(": ")[2] or str(error)
        if any(word in message.lower() for word in _PASSWORD):
            raise Encrypted(message) from error
        raise ProcessingFailed(
            FailureCode.CORRUPT, f"not readable as {media_type}: {message[:300]}"
        ) from error
