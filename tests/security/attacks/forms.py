"""3.4: multipart."""

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Final

import httpx

from security.attack import Answers, Table
from security.stand import Stand

rows = Table()

BOUNDARY: Final = "-----8ao"
KIND: Final = f"multipart/form-data; boundary={BOUNDARY}"
MEBIBYTE: Final = 1024**2


def part(name: str, value: bytes, *more: str, filename: str | None = None) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"'
    if filename is not None:
        disposition += f'; filename="{filename}"'
    return (
        "\r\n".join([f"--{BOUNDARY}", disposition, *more]).encode() + b"\r\n\r\n" + value + b"\r\n"
    )


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


A_FILE: Final = part("file", b"x", filename="a.txt")


async def post(
    stand: Stand, body: bytes | AsyncIterator[bytes], kind: str = KIND
) -> httpx.Response:
    return await stand.ask("POST", "/upload", content=body, headers=[("Content-Type", kind)])


def sends(id: str, sent: str, statuses: int | Iterable[int], *bodies: bytes) -> None:
    """A row that is some forms."""

    @rows.act(id, sent, statuses)
    async def act(stand: Stand) -> Answers:
        return [await post(stand, body) for body in bodies]


@rows.act("M1", "no boundary, an empty one, one of 5,000 characters", 400)
async def boundaries(stand: Stand) -> Answers:
    kinds = ("", "; boundary=", '; boundary=""', f"; boundary={'b' * 5000}", "; boundary=\u00fc")
    return [await post(stand, form(A_FILE), f"multipart/form-data{kind}") for kind in kinds]


sends("M2", "no last boundary", 400, A_FILE, A_FILE[:-2], A_FILE + b"--" + BOUNDARY.encode(), b"--")


@rows.act("M3", "10 MB of line ends before and after", (201, 400))
async def line_ends(stand: Stand) -> Answers:
    padding = b"\r\n" * (5 * MEBIBYTE)
    whole = form(A_FILE)
    return [
        await post(stand, body)
        for body in (padding + whole, whole + padding, b"\n" * MEBIBYTE + whole, b"\r" * MEBIBYTE)
    ]


def many(name: str, number: int) -> Iterator[bytes]:
    for index in range(number):
        yield part(name.format(index), b"x", filename="a" if name == "file" else None)
    yield form()


async def streamed(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    batch = bytearray()
    for piece in pieces:
        batch += piece
        if len(batch) > 64 * 1024:
            yield bytes(batch)
            batch.clear()
    yield bytes(batch)


@rows.act("M4", "1,001, 10,000 and 10^6 parts", 413)
async def many_parts(stand: Stand) -> Answers:
    names = ("f{}", "", "title")
    return [
        await post(stand, streamed(many(name, number)))
        for number in (1_001, 10_000, 1_000_000)
        for name in names
    ]


@rows.act("M4", "21 and 10,000 files", 422)
async def many_files(stand: Stand) -> Answers:
    return [await post(stand, streamed(many("file", number))) for number in (21, 10_000)]


sends(
    "M5", "1,000 headers in a part, and one of 1 MB", (400, 413),
    form(part("file", b"x", *(f"X-{n}: 1" for n in range(1000)), filename="a")),
    form(part("file", b"x", "X: " + "y" * 1_000_000, filename="a")),
    form(part("title", b"x", "X: " + "y" * 1_000_000), A_FILE),
)  # fmt: skip


@rows.act("M6", "a text field of 400 MB", 413)
async def enormous_field(stand: Stand) -> Answers:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield part("title", b"")[:-2]
        while sent < 400_000_000:
            sent += 64 * 1024
            yield b"x" * (64 * 1024)

    answer = await post(stand, body())
    assert sent <= 4 * 64 * 1024
    return answer


sends(
    "M7", "no file, or a file under another name", 422,
    form(), form(part("title", b"x")), form(part("document", b"x", filename="a")),
    form(part("files[]", b"x", filename="a")),
)  # fmt: skip
sends(
    "M8", "an empty name; only filename*", 422,
    form(part("file", b"x", filename="")), form(part("file", b"x")),
    form(A_FILE.replace(b'filename="a.txt"', b"filename*=UTF-8''a.txt")),
)  # fmt: skip
sends(
    "M9", "a text that is not UTF-8, and a charset that is none", 400,
    form(part("title", b"\xff\xfe"), A_FILE),
    *(
        form(part("title", b"x", f"Content-Type: text/plain; charset={charset}"), A_FILE)
        for charset in ("utf-99", "zlib", "idna", "unicode_escape", "undefined")
    ),
)  # fmt: skip


@rows.act("M10", "a head full of backslashes", (201, 400, 422))
async def backslashes(stand: Stand) -> Answers:
    value = "\\" * 3000
    heads = (
        f'form-data; name="file"; filename="{value}',
        f"form-data; {value}",
        f'form-data; name="{value}"',
    )
    bodies = [
        form(f"--{BOUNDARY}\r\nContent-Disposition: {head}\r\n\r\nx\r\n".encode()) for head in heads
    ]
    kinds = [f'multipart/form-data; boundary="{value * 15}', f"multipart/form-data; {value * 15}"]
    return [
        *[await post(stand, body) for body in bodies],
        *[await post(stand, form(A_FILE), kind) for kind in kinds],
    ]


NESTED: Final = b'--c\r\nContent-Disposition: file; filename="a"\r\n\r\nx\r\n--c--'
sends(
    "M11", "a transfer encoding, a form in a form, JSON instead of a form", (400, 415, 422),
    form(part("file", b"eA==", "Content-Transfer-Encoding: base64", filename="a")),
    form(part("title", b"eA==", "Content-Transfer-Encoding: base64"), A_FILE),
    form(part("file", b"=41", "Content-Transfer-Encoding: quoted-printable", filename="a")),
    form(part("file", NESTED, "Content-Type: multipart/mixed; boundary=c")),
    b'{"file": "x"}',
)  # fmt: skip


@rows.act("M11", "a form where JSON is wanted", (400, 415))
async def form_for_json(stand: Stand) -> Answers:
    place = f"/files/{(await stand.upload())['id']}"
    fields = form(part("email", b"a@example.org"), part("password", b"x" * 12))
    answers = []
    for kind in (KIND, "application/json", "application/x-www-form-urlencoded"):
        headers = [("Content-Type", kind)]
        for method, path in (("POST", "/auth/login"), ("PATCH", place)):
            answers.append(await stand.ask(method, path, content=fields, headers=headers))
    return answers


sends(
    "M12", "a field given twice", 422,
    *(form(part(n, v), part(n, v), A_FILE) for n, v in (("title", b"x"), ("metadata", b"{}"))),
)  # fmt: skip


@rows.act("M13", "the file before what is said of it", 201)
async def file_first(stand: Stand) -> Answers:
    fields = [
        part("title", b"T"),
        part("tags", b"t"),
        part("metadata", json.dumps({"k": 1}).encode()),
    ]
    answer = await post(stand, form(A_FILE, *fields))
    file = answer.json()
    assert (file["title"], file["tags"], file["metadata"]) == ("T", ["t"], {"k": 1})
    return answer


LOOKALIKE: Final = b"\r\n--" + BOUNDARY[:-1].encode() + b"\r\n-" + b"\r\n\r\n--\r" * 3


@rows.act("M14", "what looks like a boundary, in pieces of 1 to 70 bytes", 201)
async def cut_anywhere(stand: Stand) -> Answers:
    whole = form(part("file", LOOKALIKE, filename="a"), part("title", b"T"))
    answers = [await post(stand, pieces(whole, size)) for size in range(1, 71)]
    for answer in answers:
        assert answer.json()["size"] == len(LOOKALIKE)
        content = await stand.ask("GET", answer.json()["links"]["content"])
        assert content.content == LOOKALIKE
    return answers


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
