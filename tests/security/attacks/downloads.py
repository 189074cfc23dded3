"""3.6: what comes back, and the names of files."""

import re
from typing import Any, Final

import httpx

from security.attack import Answers, Table, headers_of
from security.samples import ACTIVE, HTML, PNG
from security.stand import Stand

rows = Table()

SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
    "Accept-Ranges": "bytes",
}
SHOWN: Final = ("image/", "application/pdf", "text/plain")


def content_of(file: dict[str, Any], query: str = "") -> str:
    return f"{file['links']['content']}{query}"


def check_safe(answer: httpx.Response) -> None:
    assert {name: answer.headers.get(name) for name in SAFE} == SAFE


@rows.act("D1", "pages, scripts and pictures that run", 200)
async def active_content(stand: Stand) -> Answers:
    answers = []
    for name, data in ACTIVE.items():
        file = await stand.upload(data, name)
        for query in ("", "?disposition=inline"):
            answer = await stand.ask("GET", content_of(file, query))
            check_safe(answer)
            assert answer.content == data
            shown = answer.headers["Content-Disposition"].startswith("inline")
            kind = answer.headers["Content-Type"]
            assert not shown or (query and kind.startswith(SHOWN) and "svg" not in kind), name
            answers.append(answer)
    return answers


@rows.act("D2", "a name that tells another type", 200)
async def told_by_the_name(stand: Stand) -> Answers:
    answers = []
    for name in ("x.html", "x.exe", "x.svg", "x.js", "x.xhtml", "x.htm"):
        answer = await stand.ask("GET", content_of(await stand.upload(PNG, name)))
        assert answer.headers["Content-Type"] == "image/png"
        noise = await stand.ask("GET", content_of(await stand.upload(b"\x00\x9f\x92" * 40, name)))
        assert noise.headers["Content-Type"] == "application/octet-stream"
        answers += [answer, noise]
        for each in (answer, noise):
            check_safe(each)
    return answers


NAMES: Final = (
    "a\r\nSet-Cookie: x=1", 'a"b;c.txt', "\u202egpj.exe", "\U0001f600.txt", "n" * 255, "a/../b",
    "r\u00e9sum\u00e9.pdf", "a;filename=b", "a\\b", "100%.txt", "a%0d%0ab", "\u4e2d" * 200,
)  # fmt: skip
ONE_HEADER: Final = re.compile(
    r"attachment; filename=\"[ !#$&-.0-\[\]-~]*\"; "
    r"filename\*=UTF-8''(%[0-9A-F]{2}|[\w!#$&+.^`|~-])*",
    re.ASCII,
)


@rows.act("D3", "names that break a header", 200)
async def names_in_headers(stand: Stand) -> Answers:
    answers = []
    for name in NAMES:
        answers.append(await stand.ask("GET", content_of(await stand.upload(b"x", name))))
        values = answers[-1].headers.get_list("Content-Disposition")
        assert len(values) == 1
        assert ONE_HEADER.fullmatch(values[0]), values
        assert "Set-Cookie" not in answers[-1].headers
    return answers


BODY: Final = bytes(range(200))
RANGES: Final = (
    ("bytes=0-0", 206, BODY[:1]), ("bytes=-1", 206, BODY[-1:]), ("bytes=5-", 206, BODY[5:]),
    (f"bytes=0-{2**64}", 206, BODY), ("bytes=7-3", 200, BODY), ("bytes=abc", 200, BODY),
    ("foo=0-1", 200, BODY), ("bytes=200-", 416, None), ("bytes=-0", 416, None),
    ("bytes=" + ",".join(f"{n}-{n}" for n in range(0, 34, 2)), 200, BODY),
    ("bytes=" + ",".join(["0-"] * 1000), 200, BODY),
    ("bytes=" + "," * 5000, 200, BODY), (f"bytes={'9' * 5000}-", 200, BODY),
    ("bytes=0-0, 5-", 206, None),
    ("bytes=" + ",".join(f"{n}-{n}" for n in range(0, 32, 2)), 206, None),
)  # fmt: skip


@rows.act("D4", "ranges of every kind", (200, 206, 416))
async def ranges(stand: Stand) -> Answers:
    place = content_of(await stand.upload(BODY, "a.bin"))
    answers = []
    for value, status, body in RANGES:
        answer = await stand.ask("GET", place, headers=[("Range", value)])
        assert answer.status_code == status, value[:80]
        assert body in (None, answer.content), value[:80]
        assert len(answer.content) <= 20 * len(BODY)
        answers.append(answer)
    for condition in ('"stale"', 'W/"x"', "Mon, 01 Jan 2024 00:00:00 GMT", "nonsense"):
        stale = await stand.ask(
            "GET", place, headers=[("Range", "bytes=0-0"), ("If-Range", condition)]
        )
        assert (stale.status_code, stale.content) == (200, BODY)
        answers.append(stale)
    whole = await stand.ask("GET", place)
    head = await stand.ask("HEAD", place, headers=[("Range", "bytes=0-0")])
    assert head.content == b""
    assert headers_of(head) == headers_of(whole)
    return [*answers, whole, head]


@rows.act("D7", "a blob with one bit flipped; one that is too short", 500)
async def corrupt(stand: Stand) -> Answers:
    answers = []
    for data in (b"some words", b"words " * 500_000):
        for spoil in (_flipped, _cut):
            file = await stand.upload(data)
            (path,) = (path for path in stand.remains().paths if file["id"] in str(path))
            path.chmod(0o600)
            path.write_bytes(spoil(data))
            answers.append(await stand.ask("GET", content_of(file)))
            path.unlink()
    return answers


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def _cut(data: bytes) -> bytes:
    return data[:-1]


@rows.act("D8", "a blob that is gone", 500)
async def gone(stand: Stand) -> Answers:
    file = await stand.upload()
    (path,) = (path for path in stand.remains().paths if file["id"] in str(path))
    path.unlink()
    answer = await stand.ask("GET", content_of(file))
    assert answer.json()["type"] == "/problems/blob-missing"
    return answer


@rows.act("D9", "pictures of other sizes and formats", (404, 422))
async def sizes(stand: Stand) -> Answers:
    place = f"/files/{(await stand.upload(PNG, 'a.png'))['id']}/renditions"
    queries = ("?w=100000000", "?h=-1", "?fmt=svg", "?w=1&h=1", "?format=html")
    names = ("huge", "99999x99999", "%2e%2eoriginal", "%2e%2e%2foriginal", "thumbnail.svg")
    return [
        *[await stand.ask("GET", f"{place}/thumbnail{query}") for query in queries],
        *[await stand.ask("GET", f"{place}/{name}") for name in names],
    ]


@rows.act("D10", "a type for the answer in the query", 200)
async def asked_for_a_type(stand: Stand) -> Answers:
    place = content_of(await stand.upload(HTML, "a.html"))
    query = "?response-content-type=text/html&response-content-disposition=inline"
    plain, asked = await stand.ask("GET", place), await stand.ask("GET", place + query)
    assert headers_of(plain) == headers_of(asked)
    check_safe(asked)
    return [plain, asked]


KEPT: Final = {
    "../../etc/passwd": "passwd", "..\\..\\x": "x", "/etc/passwd": "passwd", "C:\\x": "x",
    "\\\\srv\\x": "x", "file:///etc/x": "x", "a/b/": "b",
    # control and bidirectional characters
    "a\x00.png": "a.png", "a\x1b[31m": "a[31m", "a\tb": "ab", "a\rb": "ab",
    "\u202egpj.exe": "gpj.exe",
    "a\u2066b": "ab", "a\u200bb": "ab", "\ufeffa": "a",
    # data, whatever it means elsewhere
    "CON": "CON", "NUL.txt": "NUL.txt", "a:b": "a:b", "a.": "a.", ".htaccess": ".htaccess",
    "-rf": "-rf", "~$x": "~$x", "e\u0301": "\u00e9", "<script>.png": "<script>.png",
    "{{7*7}}": "{{7*7}}", "$(id)": "$(id)", "=HYPERLINK(1)": "=HYPERLINK(1)", "n" * 255: "n" * 255,
}  # fmt: skip
CHAPTERS: Final = {"F1": range(7), "F2": range(7, 11), "F3": range(11, 15), "F5": range(15, 23),
                   "F7": range(23, 27), "F4": range(27, 28)}  # fmt: skip
ON_DISK: Final = re.compile(r"blobs/(staging|files)/[a-z0-9/._-]+")


def _named(id: str, names: list[str]) -> None:
    @rows.act(id, f"names such as {names[0][:20]!r}", 201)
    async def act(stand: Stand) -> Answers:
        answers = []
        for name in names:
            before = stand.remains().paths
            answer = await stand.client().post("/files", params={"filename": name}, content=b"x")
            assert answer.json()["filename"] == KEPT[name]
            assert name == "<script>.png" or "<script>" not in answer.text
            (path,) = stand.remains().paths - before
            assert ON_DISK.fullmatch(str(path.relative_to(stand.root)))
            assert path.stat().st_mode & 0o777 == 0o600
            answers.append(answer)
        return answers


for _id, _places in CHAPTERS.items():
    _named(_id, [[*KEPT][place] for place in _places])


def _unusable(id: str, names: list[str]) -> None:
    @rows.act(id, f"no names, such as {names[-1][:20]!r}", (400, 422))
    async def act(stand: Stand) -> Answers:
        answers = []
        for name in names:
            answers.append(
                await stand.client().post("/files", params={"filename": name}, content=b"x")
            )
            if name.isascii() and name.isprintable():
                form = {"file": (name, b"x")} if name else {"file": (None, b"x")}
                answers.append(await stand.client().post("/upload", files=form))
        return answers


_unusable("F4", ["n" * 256, "n" * 5000, "", ".", "..", "....", "/", "\\", " "])
_unusable("F2", ["\x00", "\x1b", "\r\n", "\t"])
_unusable("F3", ["\u202e", "\u2066\u2069", "\u200b", "\ufeff"])


@rows.act("F8", "a name that is not UTF-8", (400, 422))
async def not_utf8(stand: Stand) -> Answers:
    values = (b'attachment; filename="\xff"', b"attachment; filename*=UTF-8''%ff", b"\xff")
    head = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="\xff"\r\n\r\nx\r\n--b--\r\n'
    )
    kind = [("Content-Type", "multipart/form-data; boundary=b")]
    form = await stand.ask("POST", "/upload", content=head, headers=kind)
    assert form.status_code == 400
    raw = [
        await stand.ask("POST", "/files", content=b"x", headers=[("Content-Disposition", value)])
        for value in values
    ]
    assert {answer.status_code for answer in raw} == {400}
    return [form, *raw, await stand.ask("POST", "/files?filename=%ff", content=b"x")]
