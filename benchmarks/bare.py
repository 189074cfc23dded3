"""The least that a Litestar handler can do with a body and a file, to compare docstore with:
`python bare.py FOLDER`, then the port on stdout.

A raw body is hashed and written as it comes: batches go to a thread, one at a time, while the next
one is received; what is small is done at once. No sign-in, no metadata, no limits, no refusals.
"""

import asyncio
import hashlib
import os
import re
import socket
import sys
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import uvicorn
from litestar import Litestar, Request, get, post
from litestar.response import Response
from litestar.types import ASGIApp, Receive, Scope, Send

BATCH: Final = 1024 * 1024  # bytes given to the thread at once
SMALL: Final = 128 * 1024  # bytes that are hashed faster than a thread is reached
PIECE: Final = 256 * 1024  # bytes of a file sent at once

_RANGE: Final = re.compile(r"bytes=(\d+)-(\d+)")

AnyRequest = Request[Any, Any, Any]


class Sink:
    """A file that is hashed as it is written."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._hash = hashlib.sha256()
        self._writing: asyncio.Future[None] | None = None

    async def take(self, batch: list[bytes]) -> None:
        await self.settle()
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(None, self.take_now, batch)

    def take_now(self, batch: list[bytes]) -> None:
        for chunk in batch:
            self._hash.update(chunk)
        views = [memoryview(chunk) for chunk in batch]
        for start in range(0, len(views), 512):
            some = views[start : start + 512]
            written = os.writev(self._file, some)
            assert written == sum(map(len, some))

    async def settle(self) -> None:
        if self._writing is not None:
            await self._writing

    async def end(self) -> str:
        await self.settle()
        os.close(self._file)
        return self._hash.hexdigest()


@post("/files")
async def upload(request: AnyRequest) -> Response[dict[str, str]]:
    name = uuid4().hex
    folder: Path = request.app.state.folder
    sink = Sink(folder / name)
    batch: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        batch.append(chunk)
        size += len(chunk)
        if size >= BATCH:
            await sink.take(batch)
            batch, size = [], 0
    if size > SMALL:
        await sink.take(batch)
    else:
        await sink.settle()
        sink.take_now(batch)
    digest = await sink.end()
    answer = {"id": name, "sha256": digest}
    return Response(answer, status_code=201, headers={"Location": f"/files/{name}"})


@get("/files/{name:str}")
async def download(request: AnyRequest, name: str) -> ASGIApp:
    folder: Path = request.app.state.folder
    return Content(folder / name, request.headers.get("range"))


@get("/json")
async def small() -> dict[str, str]:
    """What the framework alone makes of a request."""
    return {"status": "ok"}


class Content:
    """A file, or one range of it, in pieces."""

    def __init__(self, path: Path, asked: str | None) -> None:
        self._path = path
        self._asked = asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        descriptor = os.open(self._path, os.O_RDONLY)
        try:
            await self._send(descriptor, send)
        finally:
            os.close(descriptor)

    async def _send(self, descriptor: int, send: Send) -> None:
        size = os.fstat(descriptor).st_size
        found = _RANGE.fullmatch(self._asked or "")
        start, last = (int(found[1]), int(found[2])) if found else (0, size - 1)
        headers = [(b"content-length", b"%d" % (last + 1 - start))]
        if found:
            headers.append((b"content-range", b"bytes %d-%d/%d" % (start, last, size)))
        status = 206 if found else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        while start <= last:
            piece = os.pread(descriptor, min(PIECE, last + 1 - start), start)
            start += len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": start <= last})


def main(folder: Path) -> None:
    app = Litestar(
        [upload, download, small],
        request_max_body_size=None,
        openapi_config=None,
        logging_config=None,
    )
    app.state.folder = folder
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", ws="none", access_log=False, log_level="warning"
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
