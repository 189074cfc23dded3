from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from docstore.adapters.processors.text_findings import text_findings
from docstore.application.ports.processor import Findings, Kind, Limits, ProcessorOptions, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.findings import Json
from docstore.domain.names import MediaType

if TYPE_CHECKING:  # Pillow is imported in the parsers' process only
    from PIL import Image

FORMATS: Final = {
    "image/avif": "AVIF",
    "image/bmp": "BMP",
    "image/gif": "GIF",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/tiff": "TIFF",
    "image/webp": "WEBP",
}
"""What is opened, as what. Pillow reads some 40 formats; nobody needs to reach the others."""

BOXES: Final = {"thumbnail": (256, 256), "preview": (1600, 1600)}
MAX_FRAMES: Final = 1000  # that are counted


class ImageProcessor:
    """Facts and renditions of raster pictures; of an animation, the first frame."""

    name = "image"
    version = "2"
    yields = (Kind.FACTS, Kind.TEXT, Kind.RENDITIONS)

    def __init__(self, options: ProcessorOptions = ProcessorOptions()) -> None:  # noqa: B008 # frozen
        self._options = options
        self._max_pixels = options.max_pixels
        self._boxes = {**BOXES, "resized": options.image_box}
        # A picture of the most pixels takes more memory than any text, and less time.
        self.limits = Limits(seconds=options.seconds / 2, memory=options.memory * 5 // 3)

    def preload(self) -> None:
        from PIL import Image, IptcImagePlugin  # noqa: F401

        from docstore.adapters.processors import exif, picture_notes, renditions  # noqa: F401
        from docstore.adapters.processors.libraries import preload

        preload(self._options)
        Image.init()

    def accepts(self, media_type: MediaType) -> bool:
        return media_type in FORMATS

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        from docstore.adapters.processors.exif import exif_facts
        from docstore.adapters.processors.picture_notes import picture_notes
        from docstore.adapters.processors.renditions import renditions, upright_size

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
            notes = text_findings(picture_notes(image), self._options)
            return Findings(
                facts={"image": facts, **(notes.facts if notes.text else {})},
                text=notes.text,
                pictures=renditions(image, self._boxes),
                warnings=notes.warnings,
            )

    @contextmanager
    def _opened(self, body: BinaryIO, subject: Subject) -> "Iterator[Image.Image]":
        """The picture, of which only the header has been read."""
        from PIL import Image

        Image.MAX_IMAGE_PIXELS = None  # it only warns; the check below is the one that counts
        with Image.open(body, formats=[FORMATS[subject.media_type]]) as image:
            if image.width * image.height > self._max_pixels:
                raise ProcessingFailed(
                    FailureCode.TOO_MANY_PIXELS,
                    f"{image.width} x {image.height} pixels, more than {self._max_pixels}"
                    " (DOCSTORE_MAX_PIXELS)",
                )
            yield image


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
    return ProcessingFailed(FailureCode.CORRUPT, f"not a whole picture: {str(error)[:200]}")
