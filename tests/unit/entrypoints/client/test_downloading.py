import errno
import os
from collections.abc import AsyncIterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from docstore.entrypoints.client.downloading import download, write_to
from docstore.entrypoints.client.errors import Changed, Refused, Unreachable
from docstore.entrypoints.client.retrying import PATIENT
from docstore.entrypoints.client.session import Session

pytestmark = pytest.mark.anyio

DATA = bytes(range(256)) * 1000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Server:
    """Serves DATA, and cuts each answer after so many bytes."""

    def __init__(self, cut_after: int | None = None, data: bytes = DATA) -> None:
        self.cut_after = cut_after
        self.data = data
        self.ranges: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if asked and request.headers["If-Range"] != f'"{sha256(self.data).hexdigest()}"':
            asked, start = None, 0
        if start >= len(self.data):
            return httpx.Response(416, json={"detail": "no such bytes"})
        return httpx.Response(206 if asked else 200, content=self._body(self.data[start:]))

    async def _body(self, data: bytes) -> AsyncIterator[bytes]:
        whole = self.cut_after is None or len(data) <= self.cut_after
        yield data if whole else data[: self.cut_after]
        if not whole:
            raise httpx.ReadError("cut")

    def session(self) -> Session:
        async def pause(seconds: float) -> None:
            """No time passes."""

        http = httpx.AsyncClient(transport=httpx.MockTransport(self), base_url="http://there")
        return Session(http, pause)


def view(data: bytes = DATA) -> dict[str, Any]:
    return {"id": "x", "size": len(data), "sha256": sha256(data).hexdigest()}


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def nobody(_: int) -> None:
    """Does not want to know."""


async def test_what_is_cut_is_gone_on_with_where_it_ended(tmp_path: Path) -> None:
    server = Server(cut_after=100_000)
    seen: list[int] = []
    await download(server.session(), view(), tmp_path / "a", seen.append)
    assert (tmp_path / "a").read_bytes() == DATA
    assert server.ranges == [None, "bytes=100000-", "bytes=200000-"]
    assert seen[-1] == len(DATA)
    assert names(tmp_path) == ["a"]


async def test_a_command_given_again_goes_on(tmp_path: Path) -> None:
    server = Server(cut_after=0)
    with pytest.raises(Unreachable):
        await download(server.session(), view(), tmp_path / "a", nobody)
    assert len(server.ranges) == PATIENT
    assert not (tmp_path / "a").exists()
    (part,) = (tmp_path / name for name in names(tmp_path))
    part.write_bytes(DATA[:1000])
    again = Server()
    await download(again.session(), view(), tmp_path / "a", nobody)
    assert again.ranges == ["bytes=1000-"]
    assert (tmp_path / "a").read_bytes() == DATA


async def test_what_was_kept_of_another_content_is_not_mixed_in(tmp_path: Path) -> None:
    old = tmp_path / f"a.{view(b'old')['sha256'][:16]}.part"
    old.write_bytes(b"ol")
    server = Server()
    await download(server.session(), view(), tmp_path / "a", nobody)
    assert (tmp_path / "a").read_bytes() == DATA
    assert server.ranges == [None]


@pytest.mark.parametrize("kept", [b"wrong bytes", b"x" * (len(DATA) + 1), b"x" * len(DATA)])
async def test_wrong_bytes_never_get_the_name(tmp_path: Path, kept: bytes) -> None:
    part = tmp_path / f"a.{view()['sha256'][:16]}.part"
    part.write_bytes(kept)
    server = Server()
    if len(kept) > len(DATA):
        await download(server.session(), view(), tmp_path / "a", nobody)
        assert (tmp_path / "a").read_bytes() == DATA
        return
    with pytest.raises(Changed):
        await download(server.session(), view(), tmp_path / "a", nobody)
    assert names(tmp_path) == []


async def test_nothing_is_written_over_unless_it_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"mine")
    server = Server()
    with pytest.raises(FileExistsError):
        await download(server.session(), view(), tmp_path / "a", nobody)
    assert ((tmp_path / "a").read_bytes(), server.ranges) == (b"mine", [])
    await download(server.session(), view(), tmp_path / "a", nobody, force=True)
    assert (tmp_path / "a").read_bytes() == DATA


async def test_a_name_that_leads_nowhere_is_taken_too(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "nothing")
    server = Server()
    with pytest.raises(FileExistsError):
        await download(server.session(), view(), tmp_path / "a", nobody)
    assert server.ranges == []
    assert not (tmp_path / "nothing").exists()


async def test_what_is_kept_is_not_written_through_a_link(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"x")
    (tmp_path / f"a.{view()['sha256'][:16]}.part").symlink_to(theirs)
    with pytest.raises(OSError, match="symbolic links"):
        await download(Server().session(), view(), tmp_path / "a", nobody)
    assert theirs.read_bytes() == b"x"


@pytest.mark.parametrize("taken", [False, True])
async def test_where_there_are_no_links_nothing_is_written_over_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    def refuse(source: Path, target: Path) -> None:
        if taken:
            target.write_bytes(b"mine")  # just now, by somebody else
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    work = download(Server().session(), view(), tmp_path / "a", nobody)
    if taken:
        with pytest.raises(FileExistsError):
            await work
    else:
        await work
        assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == (b"mine" if taken else DATA)


async def test_whoever_sends_without_an_end_fills_no_disk(tmp_path: Path) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * len(DATA):
            sent += len(DATA)
            yield DATA

    http = httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, content=endless())),
        base_url="http://there",
    )
    with pytest.raises(Changed):
        await download(Session(http), view(), tmp_path / "a", nobody)
    assert sent <= 3 * len(DATA)


async def test_a_pipe_is_told_when_the_bytes_were_wrong() -> None:
    pipe = BytesIO()
    await write_to(Server().session(), view(), pipe)
    assert pipe.getvalue() == DATA
    with pytest.raises(Changed):
        await write_to(Server(data=b"else").session(), view(), BytesIO())


async def test_a_refusal_is_told(tmp_path: Path) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, json={"detail": "Not found"})

    http = httpx.AsyncClient(transport=httpx.MockTransport(refuse), base_url="http://there")
    with pytest.raises(Refused, match="Not found"):
        await download(Session(http), view(), tmp_path / "a", nobody)
