import struct
import zlib
from io import BytesIO
from typing import Any

import pillow_heif
import pytest
from PIL import Image, ImageCms

from docstore.adapters.processors.image import FORMATS, MAX_FRAMES, ImageProcessor
from docstore.application.ports.processor import Findings, Picture, ProcessorOptions, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.findings import Json
from docstore.domain.names import FileName, MediaType
from docstore.testing import ProcessorContract

RED = (255, 0, 0)
GPS = 0x8825
ORIENTATION = 0x0112


def encode(image: Image.Image, kind: str = "image/png", **options: Any) -> bytes:
    file = BytesIO()
    if FORMATS[MediaType(kind)] == "HEIF":  # which the processor can only read
        pillow_heif.from_pillow(image).save(file, **options)
    else:
        image.save(file, FORMATS[MediaType(kind)], **options)
    return file.getvalue()


def extract(data: bytes, kind: str = "image/png", **options: Any) -> Findings:
    processor = ImageProcessor(ProcessorOptions(**options))
    subject = Subject(name=FileName("file"), media_type=MediaType(kind), size=len(data))
    return processor.extract(BytesIO(data), subject)


def facts(findings: Findings) -> dict[str, Json]:
    found = findings.facts["image"]
    assert isinstance(found, dict)
    return found


def pictures(findings: Findings) -> dict[str, Picture]:
    return {each.name: each for each in findings.pictures}


def opened(picture: Picture) -> Image.Image:
    image = Image.open(BytesIO(picture.data))
    image.load()
    assert image.size == (picture.width, picture.height)
    return image


def photo() -> Image.Image:
    """2000 by 1000, its left half red."""
    image = Image.new("RGB", (2000, 1000), (0, 0, 255))
    image.paste(RED, (0, 0, 1000, 1000))
    return image


def fails(data: bytes, kind: str = "image/png", **options: Any) -> FailureCode:
    with pytest.raises(ProcessingFailed) as caught:
        extract(data, kind, **options)
    return caught.value.failure


class TestImageProcessorOnJpeg(ProcessorContract):
    processor_class = ImageProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return encode(photo(), "image/jpeg"), MediaType("image/jpeg")


class TestImageProcessorOnPng(ProcessorContract):
    processor_class = ImageProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return encode(photo()), MediaType("image/png")


class TestImageProcessorOnTiff(ProcessorContract):
    processor_class = ImageProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return encode(photo(), "image/tiff", compression="tiff_lzw"), MediaType("image/tiff")


class TestImageProcessorOnHeic(ProcessorContract):
    processor_class = ImageProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return encode(photo().resize((400, 200)), "image/heic"), MediaType("image/heic")


class TestImageProcessorOnAvif(ProcessorContract):
    processor_class = ImageProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return encode(photo().resize((400, 200)), "image/avif"), MediaType("image/avif")


class TestImageProcessorOnWebp(ProcessorContract):
    processor_class = ImageProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return encode(photo(), "image/webp"), MediaType("image/webp")


class TestImageProcessorOnBmp(ProcessorContract):
    processor_class = ImageProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return encode(photo(), "image/bmp"), MediaType("image/bmp")


class TestImageProcessorOnGif(ProcessorContract):
    processor_class = ImageProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return encode(photo(), "image/gif"), MediaType("image/gif")


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_facts_and_renditions(kind: MediaType) -> None:
    findings = extract(encode(photo(), kind), kind)
    assert facts(findings) == {
        "width": 2000, "height": 1000, "format": FORMATS[kind], "frames": 1, "exif": {},
    }  # fmt: skip
    sizes = {name: (each.width, each.height) for name, each in pictures(findings).items()}
    assert sizes == {"thumbnail": (256, 128), "preview": (1600, 800), "resized": (1024, 512)}
    for each in findings.pictures:
        assert each.media_type == "image/jpeg"
        red, _, blue = opened(each).convert("RGB").getpixel((5, 5))  # type: ignore[misc]
        assert red > 200 > 50 > blue


def test_the_box_of_resized_is_an_option() -> None:
    resized = pictures(extract(encode(photo()), image_box=(100, 10)))["resized"]
    assert (resized.width, resized.height) == (20, 10)
    resized = pictures(extract(encode(photo()), image_box=(9000, 9000)))["resized"]
    assert (resized.width, resized.height) == (2000, 1000)


def test_nothing_is_enlarged_and_nothing_vanishes() -> None:
    small = extract(encode(Image.new("RGB", (3, 2))))
    assert {(each.width, each.height) for each in small.pictures} == {(3, 2)}
    narrow = pictures(extract(encode(Image.new("RGB", (5000, 1)))))["thumbnail"]
    assert (narrow.width, narrow.height) == (256, 1)


@pytest.mark.parametrize("held", range(1, 9))
def test_pictures_are_put_upright(held: int) -> None:
    upright = photo()
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = upright.transpose(undo[held]) if held in undo else upright
    exif = Image.Exif()
    exif[ORIENTATION] = held
    findings = extract(encode(stored, "image/jpeg", exif=exif), "image/jpeg")
    assert (facts(findings)["width"], facts(findings)["height"]) == (2000, 1000)
    for each in findings.pictures:
        assert each.width == 2 * each.height
        image = opened(each)
        assert image.getpixel((10, 10))[0] > 200  # type: ignore[index]
        assert image.getpixel((each.width - 10, 10))[0] < 50  # type: ignore[index]


@pytest.mark.parametrize("kind", ["image/heic", "image/avif", "image/webp", "image/png"])
def test_pictures_of_newer_kinds_are_put_upright_too(kind: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    sideways = photo().transpose(Image.Transpose.ROTATE_90)
    findings = extract(encode(sideways, kind, exif=exif.tobytes()), kind)
    assert (facts(findings)["width"], facts(findings)["height"]) == (2000, 1000)
    for each in findings.pictures:
        assert opened(each).getpixel((10, 10))[0] > 200  # type: ignore[index]
        assert not opened(each).getexif()


@pytest.mark.parametrize("kind", ["image/heic", "image/avif", "image/webp", "image/tiff"])
def test_no_rendition_tells_what_the_original_does(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    exif.get_ifd(GPS)[1] = "N"
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>a secret place</x:xmpmeta>"
    findings = extract(encode(photo(), kind, exif=exif.tobytes(), xmp=xmp), kind)
    assert "secret" in (findings.text or "")
    for each in findings.pictures:
        assert b"secret" not in each.data
        assert not opened(each).getexif()


def test_the_place_is_a_fact_of_the_owner_and_in_no_rendition() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker\x00\x01"
    exif.get_ifd(GPS)[1] = "N"
    exif.get_ifd(GPS)[2] = (52.0, 30.0, 1.5)
    exif.get_ifd(0x8769)[0x9286] = b"a secret comment" * 1000
    data = encode(photo(), "image/jpeg", exif=exif, comment=b"a secret comment")
    findings = extract(data, "image/jpeg")
    assert facts(findings)["exif"] == {
        "Make": "Maker", "GPSLatitudeRef": "N", "GPSLatitude": [52.0, 30.0, 1.5],
    }  # fmt: skip
    for each in findings.pictures:
        assert b"secret" not in each.data
        assert b"Exif" not in each.data
        assert not opened(each).getexif()


@pytest.mark.parametrize("kind", ["image/png", "image/webp"])
def test_what_is_transparent_stays_so(kind: str) -> None:
    image = Image.new("RGBA", (400, 400), (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 200, 400))
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>secret</x:xmpmeta>"
    findings = extract(encode(image, kind, xmp=xmp), kind)
    for each in findings.pictures:
        assert each.media_type == "image/webp"
        assert b"secret" not in each.data
        shown = opened(each)
        assert shown.getpixel((3, 3))[3] == 0  # type: ignore[index]
        assert shown.getpixel((each.width - 3, 3))[3] == 255  # type: ignore[index]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK", "I", "F"])
def test_every_kind_of_pixel(mode: str) -> None:
    kind = "image/tiff" if mode in ("CMYK", "I", "F", "I;16") else "image/png"
    image = Image.new(mode, (300, 300))
    assert len(extract(encode(image, kind), kind).pictures) == 3


def test_sixteen_bits_are_scaled_not_cut() -> None:
    grey = Image.new("I;16", (10, 10), 0x8000)
    assert opened(extract(encode(grey)).pictures[0]).getpixel((5, 5)) == 128


def test_colours_are_those_of_the_profile() -> None:
    plain = opened(extract(encode(photo())).pictures[0]).getpixel((5, 5))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red_is_blue = srgb.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    odd = opened(extract(encode(photo(), icc_profile=red_is_blue)).pictures[0])
    assert odd.getpixel((5, 5))[0] < 50  # type: ignore[index]
    assert odd.getpixel((5, 5))[2] > 200  # type: ignore[index]
    assert "icc_profile" not in odd.info
    broken = extract(encode(photo(), icc_profile=b"no profile")).pictures[0]
    assert opened(broken).getpixel((5, 5)) == plain


def test_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("RGB", (9, 9), (shade, 0, 0)) for shade in (255, 128, 0)]
    data = encode(frames[0], "image/gif", save_all=True, append_images=frames[1:], duration=50)
    findings = extract(data, "image/gif")
    assert facts(findings)["frames"] == 3
    assert opened(findings.pictures[0]).getpixel((4, 4))[0] > 200  # type: ignore[index]


def test_pages_are_counted_up_to_a_limit() -> None:
    pages = [Image.new("L", (9, 9), shade) for shade in range(4)]
    data = encode(pages[0], "image/tiff", save_all=True, append_images=pages[1:])
    assert facts(extract(data, "image/tiff"))["frames"] == 4
    assert facts(extract(tiff_of_pages(20_000), "image/tiff"))["frames"] == MAX_FRAMES


def tiff_of_pages(count: int) -> bytes:
    """All of them one pixel large."""
    data = bytearray(b"II*\0\x08\0\0\0")
    tags = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (278, 1), (279, 1)]
    for number in range(count):
        entries = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in tags)
        following = len(data) + 2 + len(entries) + 4 if number < count - 1 else 0
        data += struct.pack("<H", len(tags)) + entries + struct.pack("<L", following)
    return bytes(data)


def png_that_claims(width: int, height: int) -> bytes:
    def part(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))
        )

    header = struct.pack(">LLBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", b"") + part(b"IEND", b"")


def test_too_many_pixels_are_refused_by_the_header() -> None:
    assert fails(png_that_claims(50_000, 50_000)) is FailureCode.TOO_MANY_PIXELS
    assert fails(png_that_claims(8_001, 8_000)) is FailureCode.TOO_MANY_PIXELS
    assert fails(png_that_claims(8_000, 8_000)) is FailureCode.CORRUPT
    assert fails(encode(photo()), max_pixels=1_999_999) is FailureCode.TOO_MANY_PIXELS
    with pytest.raises(ProcessingFailed, match="DOCSTORE_MAX_PIXELS"):
        extract(encode(photo()), max_pixels=1_999_999)
    assert extract(encode(photo()), max_pixels=2_000_000).pictures


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/tiff", "image/webp"])
def test_a_picture_that_is_cut_off_is_corrupt(kind: str) -> None:
    data = encode(Image.effect_noise((500, 500), 80), kind)
    assert fails(data[: len(data) // 2], kind) is FailureCode.CORRUPT
    assert fails(data[:10], kind) is FailureCode.CORRUPT


def test_only_the_sniffed_format_is_opened() -> None:
    assert fails(encode(photo(), "image/gif"), "image/png") is FailureCode.CORRUPT
    assert fails(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n") is FailureCode.CORRUPT
    assert not ImageProcessor().accepts(MediaType("image/svg+xml"))
