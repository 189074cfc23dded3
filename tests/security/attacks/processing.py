"""3.7: files that harm who reads them. Each is processed as a worker does it, in the jail."""

import asyncio
import io
import random
import zipfile
from typing import Any, Final

from PIL import Image

from security.attack import Answers, Table
from security.hostile import BODIES, Devours, Hostile, Segfaults, Sleeps, Spins
from security.samples import PNG, png
from security.stand import Stand
from security.wire import resident

rows = Table()

MEBIBYTE: Final = 1024**2
NOISE: Final = random.Random(0).randbytes(MEBIBYTE)
HEAVY: Final = 540 * MEBIBYTE
"""Bytes to which the archive below unpacks: more than 512 MiB."""


async def processed(stand: Stand, name: str, data: bytes) -> dict[str, Any]:
    return await stand.process(await stand.upload(data, name))


async def fails(stand: Stand, name: str, data: bytes, code: str) -> Answers:
    """It ends as `failed`, with that code; and the worker goes on with another file."""
    view, good = await asyncio.gather(
        processed(stand, name, data), processed(stand, "good.png", PNG)
    )
    assert (view["status"], view["error"] and view["error"]["code"]) == ("failed", code), view
    assert good["status"] == "processed", good
    answer = await stand.ask("GET", f"/files/{view['id']}")
    assert answer.json()["jobs"][0]["status"] == "failed"
    content = await stand.ask("GET", view["links"]["content"])
    assert content.content == data
    return answer


def breaks(id: str, sent: str, code: str, name: str, make: Any) -> None:
    @rows.act(id, sent, 200)
    async def act(stand: Stand) -> Answers:
        return await fails(stand, name, await asyncio.to_thread(make), code)


def docx() -> bytes:
    """A document of a few megabytes that unpacks to HEAVY."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w") as member:
            for _ in range(HEAVY // MEBIBYTE):
                member.write(b" " * MEBIBYTE)
    return whole.getvalue()


def pdf_of_noise() -> bytes:
    return b"%PDF-1.7\n" + NOISE * 50


def picture(kind: str) -> bytes:
    whole = io.BytesIO()
    Image.frombytes("L", (100, 100), NOISE[:10_000]).save(whole, kind)
    return whole.getvalue()


breaks("B1", "a docx that unpacks to 540 MiB", "archive_too_large", "a.docx", docx)
breaks("B7", "a PNG of 50,000 x 50,000 pixels", "too_many_pixels", "a.png",
       lambda: png(50_000, 50_000, data=b"\0" * 6251 * 100))  # fmt: skip
breaks("B8", "a PNG of 13,000 x 13,000 pixels", "too_many_pixels", "a.png",
       lambda: png(13_000, 13_000, depth=8, colour=2, data=b"\0" * 39_001 * 100))  # fmt: skip
breaks("B20", "a PDF of 50 MiB of noise", "corrupt", "a.pdf", pdf_of_noise)
breaks("B20", "a PNG of noise", "corrupt", "a.png", lambda: PNG[:33] + NOISE)
breaks("B20", "half a PNG", "corrupt", "a.png",
       lambda: png(100, 100, depth=8, data=NOISE[:10_100])[:5000])  # fmt: skip
breaks(
    "B20", "half a JPEG", "corrupt", "a.jpg", lambda: b"\xff\xd8\xff\xe0\0\x10JFIF\0" + NOISE[:99]
)


def attacks_the_parser(id: str, sent: str, code: str, kind: type[Hostile]) -> None:
    @rows.act(id, sent, 200)
    async def act(stand: Stand) -> Answers:
        name, data = BODIES[kind]
        before = resident()
        answer = await fails(stand, name, data, code)
        assert resident() - before < 50 * MEBIBYTE
        return answer


attacks_the_parser("B22", "a parser that is killed by a signal", "crashed", Segfaults)
attacks_the_parser("B23", "a parser that sleeps for ever", "timeout", Sleeps)
attacks_the_parser("B23", "a parser that computes for ever", "timeout", Spins)
attacks_the_parser("B24", "a parser that takes all memory", "memory", Devours)
