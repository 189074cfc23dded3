from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, BinaryIO, Final

from docstore.adapters.processors import recognition
from docstore.adapters.processors.text_findings import text_findings
from docstore.application.ports.processor import (
    Findings,
    Kind,
    Limits,
    Picture,
    ProcessorOptions,
    Subject,
)
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.findings import Json, Notice
from docstore.domain.names import MediaType

if TYPE_CHECKING:  # Pillow is imported in the parsers' process only
    from PIL import Image

FORMATS: Final = {
    "image/avif": "AVIF",
    "image/bmp": "BMP",
    "image/gif": "GIF",
    "image/heic": "HEIF",
    "image/heif": "HEIF",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/tiff": "TIFF",
    "image/webp": "WEBP",
}
"""What is opened, as what. Pillow reads some 40 formats; nobody needs to reach the others."""

BOXES: Final = {"thumbnail": (256, 256), "preview": (1600, 1600)}
PART_OF_TIME: Final = 0.5  # of the processor's seconds that recognising text may take
MAX_FRAMES: Final = 1000  # that are counted

_TOO_SLOW: Final = Notice(
    "partial", "there was no time to recognise the text in it (DOCSTORE_PROCESS_SECONDS)"
)


class ImageProcessor:
    """Facts and renditions of raster pictures; of an animation, the first frame."""

    name = "image"
    version = "3"
    yields = (Kind.FACTS, Kind.TEXT, Kind.RENDITIONS)

    def __init__(self, options: ProcessorOptions = ProcessorOptions()) -> None:  # noqa: B008 # frozen
        self._options = options
        self._max_pixels = options.max_pixels
        self._boxes = {**BOXES, "resized": options.image_box}
        # A picture of the most pixels takes more memory than any text, and less time.
        self._seconds = options.seconds / 2
        self.limits = Limits(seconds=self._seconds, memory=options.memory * 5 // 3)

    def preload(self) -> None:
        from PIL import Image, IptcImagePlugin  # noqa: F401

        from docstore.adapters.processors import exif, picture_notes, renditions  # noqa: F401
        from docstore.adapters.processors.libraries import preload

        preload(self._options)
        Image.init()
        _learn_heif()

    def accepts(self, media_type: MediaType) -> bool:
        return media_type in FORMATS

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        from docstore.adapters.processors.exif import exif_facts
        from docstore.adapters.processors.picture_notes import picture_notes
        from docstore.adapters.processors.renditions import upright_size

        with _pillow_errors(), self._opened(body, subject) as image:
            if image.format == "PNG":
                # Its notes may stand after the pixels, so that asking for them decodes those; and
                # Pillow raises what is wrong with them only once.
                image.load()
            width, height = upright_size(image)
            facts: dict[str, Json] = {
                "width": width,
                "height": height,
                "format": FORMATS[subject.media_type],
                "frames": _frames(image),
                "exif": exif_facts(image),
            }
            notes = picture_notes(image)
            words, pictures = self._seen(image)
            slow = [_TOO_SLOW] if words is None else []
            told = text_findings("\n".join(filter(None, (notes, words))), self._options)
            return Findings(
                facts={"image": facts, **(told.facts if told.text else {})},
                text=told.text,
                pictures=pictures,
                warnings=[*told.warnings, *slow, *recognition.notices(self._options)],
            )

    def _seen(self, image: "Image.Image") -> tuple[str | None, Sequence[Picture]]:
        """Text that is recognised in it, None: not in time; and its renditions."""
        from docstore.adapters.processors.renditions import fitted, largest, upright

        rooms = [recognition.ROOM] if self._options.ocr_languages else []
        seen = upright(image, largest([*self._boxes.values(), *rooms]))
        seconds = PART_OF_TIME * self._seconds
        return recognition.recognised(seen, self._options, seconds), fitted(seen, self._boxes)

    @contextmanager
    def _opened(self, body: BinaryIO, subject: Subject) -> "Iterator[Image.Image]":
        """The picture, of which only the header has been read."""
        from PIL import Image

        _learn_heif()
        Image.MAX_IMAGE_PIXELS = None  # it only warns; the check below is the one that counts
        with Image.open(body, formats=[FORMATS[subject.media_type]]) as image:
            if image.width * image.height > self._max_pixels:
                raise ProcessingFailed(
                    FailureCode.TOO_MANY_PIXELS,
                    f"{image.width} x {image.height} pixels, more than {self._max_pixels}"
                    " (DOCSTORE_MAX_PIXELS)",
                )
            yield image


@cache
def _learn_heif() -> None:
    """Pillow has no decoder of its own. One thread: more of them would take address space."""
    import pi_heif

    pi_heif.register_heif_opener(
        thumbnails=False, depth_images=False, aux_images=False, decode_threads=1
    )


def _frames(image: "Image.Image") -> int:
    """How many, without decoding them."""
    if image.format == "TIFF":
        return _tiff_pages(image)
    return min(MAX_FRAMES, getattr(image, "n_frames", 1))


def _tiff_pages(image: "Image.Image") -> int:
    """One by one, since Pillow's own count takes quadratic time, and minutes for 100,000."""
    pages = 1
    with suppress(Exception):  # the end, or a broken page after good ones
        while pages < MAX_FRAMES:
            image.seek(pages)
            pages += 1
    image.seek(0)
    return pages


@contextmanager
def _pillow_errors() -> Iterator[None]:
    """The only place where Pillow's errors become docstore's.

    It raises errors of a dozen kinds for broken files. An OSError with a number is the system's.
    """
    try:
        yield
    except (ProcessingFailed, MemoryError):
        raise
    except OSError as error:
        if error.errno is not None:
            raise
        raise _corrupt(error) from error
    except Exception as error:
        raise _corrupt(error) from error


def _corrupt(error: Exception) -> ProcessingFailed:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):  # its words are of a Python object
        return ProcessingFailed(FailureCode.CORRUPT, "not a picture of the kind it begins like")
    return ProcessingFailed(FailureCode.CORRUPT, f"not a whole picture: {str(error)[:200]}")
