"""What the demo does, over HTTP, as any client would."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx

PIECE: Final = 256 * 1024  # bytes sent at once
ANSWER: Final = 60.0  # seconds that any answer may take
LOOK: Final = 0.5  # seconds that one request waits for a file to be processed

View = Mapping[str, Any]  # a file as HTTP shows it


class Refused(Exception):
    """The server did not do what it was asked; the message says what it answered."""


class Client:
    """Signed in as a new user. A context manager, as it keeps connections."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(
            base_url=url, timeout=ANSWER, trust_env=False, transport=transport
        )
        self.email = f"demo-{secrets.token_hex(4)}@example.org"
        self.password = secrets.token_urlsafe(12)
        self.token = ""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def sign_up(self) -> None:
        who = {"email": self.email, "password": self.password}
        _checked(self._ask("POST", "/auth/register", json=who))
        self.token = _checked(self._ask("POST", "/auth/login", json=who))["access_token"]
        self._http.headers["Authorization"] = f"Bearer {self.token}"

    def upload(self, path: Path, sent: Callable[[int], None]) -> View:
        """The file as it was taken. `sent` is told after each piece how many bytes have gone."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(path.stat().st_size),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(path.name, safe='')}",
        }
        body = _pieces(path, sent)
        return _checked(self._ask("POST", "/files", content=body, headers=headers))

    def look(self, file_id: str) -> View:
        """The file as soon as it is final, or as it is after a moment."""
        return _checked(self._ask("GET", f"/files/{file_id}", params={"wait": LOOK}))

    def is_same(self, file_id: str, path: Path) -> bool:
        """Whether what comes out is, byte for byte, what went in."""
        try:
            with (
                path.open("rb") as original,
                self._http.stream("GET", f"/files/{file_id}/content") as answer,
            ):
                answer.raise_for_status()
                same = all(original.read(len(piece)) == piece for piece in answer.iter_raw(PIECE))
                return same and not original.read(1)
        except httpx.HTTPError as error:
            raise Refused(f"the download of {path.name} failed: {error}") from error

    def _ask(self, method: str, path: str, **rest: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **rest)
        except httpx.HTTPError as error:
            raise Refused(f"{method} {path}: {error or type(error).__name__}") from error


def _pieces(path: Path, sent: Callable[[int], None]) -> Iterator[bytes]:
    gone = 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
            gone += len(piece)
            sent(gone)


def _checked(answer: httpx.Response) -> View:
    if answer.is_success:
        view: View = answer.json()
        return view
    try:
        reason = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        reason = answer.reason_phrase
    raise Refused(f"{answer.request.url.path}: {answer.status_code} {reason}")
