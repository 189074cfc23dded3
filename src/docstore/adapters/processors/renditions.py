"""Smaller pictures of a picture: upright, in sRGB, and without a word about who took it where."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from typing import Final

from PIL import Image, ImageCms

from docstore.application.ports.processor import Picture
from docstore.domain.names import MediaType

Box = tuple[int, int]  # pixels

QUALITY: Final = 85
MAX_PROFILE: Final = 4 * 1024**2  # bytes of an ICC profile that is honoured

_ORIENTATION: Final = 0x0112  # CIPA DC-008 (Exif), 4.6.4
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS: Final = frozenset({5, 6, 7, 8})  # width and height change places
_GREY: Final = frozenset({"1", "I", "F"})  # and I;16 and its kin: no colour, not 8 bits


def orientation(image: Image.Image) -> int:
    """How the camera was held, 1 to 8."""
    with suppress(Exception):  # a broken note spoils no picture, and Pillow raises what it likes
        held = image.getexif().get(_ORIENTATION)
        return held if held in _TURNS else 1
    return 1


def upright_size(image: Image.Image) -> Box:
    """Width and height as a person sees the picture."""
    width, height = image.size
    return (height, width) if orientation(image) in _SIDEWAYS else (width, height)


def renditions(image: Image.Image, boxes: Mapping[str, Box]) -> Sequence[Picture]:
    """One picture for each box: as large as fits into it, and never larger than `image`."""
    return fitted(upright(image, largest(boxes.values())), boxes)


def largest(boxes: Iterable[Box]) -> Box:
    """The box that each of them fits into."""
    widths, heights = zip(*boxes, strict=True)
    return max(widths), max(heights)


def fitted(image: Image.Image, boxes: Mapping[str, Box]) -> Sequence[Picture]:
    """The same of one that is upright already, and in sRGB."""
    return [_picture(name, _fit(image, box)) for name, box in boxes.items()]


def upright(image: Image.Image, room: Box) -> Image.Image:
    """In sRGB and within `room`.

    Decoded no larger than needed, then turned; what is turned is small by then.
    """
    held = orientation(image)
    if held in _SIDEWAYS:
        room = (room[1], room[0])
    image.draft(None, room)  # a JPEG can be decoded at 1/2, 1/4 or 1/8
    image.load()
    profile = image.info.get("icc_profile")
    small = _in_srgb(_fit(_resizable(image), room), profile)
    return small.transpose(_TURNS[held]) if held in _TURNS else small


def _resizable(image: Image.Image) -> Image.Image:
    if image.mode == "RGBA":
        return image  # `convert` would copy it, and it may be all the memory there is
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "P":
        return image.convert("RGB")
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda level: level * (1 / 256)).convert("L")
    return image.convert("L") if image.mode in _GREY else image


def _fit(image: Image.Image, box: Box) -> Image.Image:
    scale = min(box[0] / image.width, box[1] / image.height)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    plain = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile and len(profile) <= MAX_PROFILE:
        # Best effort: a profile may be broken, or for another kind of picture.
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode=plain)
            if converted is not None:
                return converted
    return image if image.mode == "L" else image.convert(plain)


def _picture(name: str, image: Image.Image) -> Picture:
    # What Pillow kept of the original (comments, XMP, GPS) would be written again.
    image = image.copy()
    image.info = {}
    encoded = BytesIO()
    if image.mode == "RGBA":
        kind = "image/webp"
        image.save(encoded, "WEBP", quality=QUALITY, method=2)
    else:
        kind = "image/jpeg"
        image.save(encoded, "JPEG", quality=QUALITY, optimize=True)
    return Picture(
        name=name,
        media_type=MediaType(kind),
        width=image.width,
        height=image.height,
        data=encoded.getvalue(),
    )
