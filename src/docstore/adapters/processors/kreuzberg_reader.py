"""Everything that knows the library kreuzberg, which reads most document formats."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from docstore.adapters.processors.reading import Encrypted, Reading
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.names import MediaType

LANGUAGE_SAMPLE: Final = 20_000  # characters; more of them change no answer
MIN_LANGUAGE_SAMPLE: Final = 40

_NOISE: Final = re.compile(r"\[Image: image\]| ?</o=[^<>\n]{1,512}>", re.IGNORECASE)
"""For a picture without a name; and addresses that mean something inside of an Exchange alone."""

_PASSWORD: Final = ("password-protected", "password protected", "passwordrequired", "encrypted")
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


def read(data: bytes, media_type: MediaType) -> Reading:
    """The text without that of attachments and embedded files, and the metadata.

    Raises Encrypted, or ProcessingFailed when the library cannot read it.
    """
    import kreuzberg

    with _kreuzberg_errors(media_type):
        result = kreuzberg.extract_bytes_sync(data, media_type, _documents(0))
    text = _NOISE.sub("", "\n\n".join(_texts(result, 0)))
    return Reading(text, dict(result.metadata))


def contents(data: bytes, media_type: MediaType, depth: int) -> Sequence[tuple[str, int, str]]:
    """Name, size in bytes and text of the members of an archive, and of archives in it down to
    that depth. Raises as `read` does.
    """
    import kreuzberg

    with _kreuzberg_errors(media_type):
        result = kreuzberg.extract_bytes_sync(data, media_type, _documents(depth))
    texts = {each["path"]: _texts(each["result"], depth) for each in result.children or ()}
    metadata: Mapping[str, Any] = dict(result.metadata)
    files: Sequence[Mapping[str, Any]] = metadata.get("files") or ()
    return [
        (each["path"], each["size"], "\n\n".join(texts.get(each["path"], ()))) for each in files
    ]


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
def _documents(depth: int) -> Any:
    import kreuzberg

    config: Any = kreuzberg.ExtractionConfig(  # type: ignore[call-arg] # its stub lacks disable_ocr
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
    config.max_archive_depth = depth
    return config


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
    yield from (each.content for each in result.annotations or () if each.content)
    children: Sequence[Mapping[str, Any]] = result.children or ()
    if depth:
        for each in children:
            yield from _texts(each["result"], depth - 1)


@contextmanager
def _kreuzberg_errors(media_type: MediaType) -> Iterator[None]:
    """The only place where the library's errors become docstore's.

    Broken files also make it panic, which is no Exception to Python, or raise an OSError without a
    number. They would do so each time.
    """
    import kreuzberg

    try:
        yield
    except kreuzberg.KreuzbergError as error:
        message = str(error).partition(": ")[2] or str(error)
        if any(word in message.lower() for word in _PASSWORD):
            raise Encrypted(message) from error
        raise _corrupt(media_type, message) from error
    except BaseException as error:
        if isinstance(error, RuntimeError) or _is_of_broken_files(error):
            raise _corrupt(media_type, str(error)) from error
        raise


def _is_of_broken_files(error: BaseException) -> bool:
    is_panic = type(error).__name__ == "PanicException"
    return is_panic or (isinstance(error, OSError) and error.errno is None)


def _corrupt(media_type: MediaType, why: str) -> ProcessingFailed:
    return ProcessingFailed(FailureCode.CORRUPT, f"not readable as {media_type}: {why[:300]}")
