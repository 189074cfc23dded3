"""Libraries that would like to open more than their file: all they need is loaded before."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from docstore.adapters.processors.archive import ArchiveProcessor
from docstore.adapters.processors.image import ImageProcessor
from docstore.adapters.processors.jail import Jail
from docstore.adapters.processors.media import MediaProcessor
from docstore.adapters.processors.pdf_page import PdfPageProcessor
from docstore.adapters.processors.text import TextProcessor
from docstore.adapters.processors.walls import Level
from docstore.domain.names import MediaType
from security.bombs import office, pdfs
from unit.adapters.archives import zipped
from unit.adapters.films import avi, matroska
from unit.adapters.jailing import body, findings_of, opened
from unit.adapters.test_image_processor import encode, photo

READERS = (ArchiveProcessor, ImageProcessor, MediaProcessor, PdfPageProcessor, TextProcessor)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=[Level.CALLS, Level.FILES], ids=str)
async def jail(
    anyio_backend: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Jail]:
    async with opened(READERS, Path(tmp_path_factory.mktemp("jail")), request.param) as jail:
        yield jail


@pytest.mark.parametrize(
    ("kind", "make", "found"),
    [
        ("application/pdf", lambda: pdfs.spoken(pdfs.words("words")), "words"),
        ("application/zip", lambda: zipped({"a.txt": "words"}), "a.txt"),
        (XLSX, lambda: office.full_sheet(10, 10), "27"),
        ("text/plain", lambda: ("Größe und Maß. " * 9).encode("cp1252"), "Größe"),
        ("video/webm", matroska, "A title"),
        ("video/x-msvideo", lambda: avi({"INAM": "A title"}), "A title"),
    ],
)
async def test_a_text_is_found(
    jail: Jail, kind: str, make: Callable[[], bytes], found: str
) -> None:
    data = make()
    texts = [each.text or "" for each in await findings_of(jail, MediaType(kind), body(data))]
    assert found in "\n".join(texts)


@pytest.mark.parametrize("kind", ["image/avif", "image/gif", "image/heic", "image/jpeg",
                                  "image/png", "image/tiff", "image/webp"])  # fmt: skip
async def test_a_picture_is_made_smaller(jail: Jail, kind: str) -> None:
    data = encode(photo().resize((400, 200)), kind)
    [findings] = await findings_of(jail, MediaType(kind), body(data))
    assert {each.width for each in findings.pictures} == {256, 400}


async def test_a_page_is_drawn(jail: Jail) -> None:
    data = pdfs.spoken(pdfs.words("words"))
    found = await findings_of(jail, MediaType("application/pdf"), body(data))
    assert [len(each.pictures) for each in found] == [2, 0]
