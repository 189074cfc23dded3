"""An object being read: one answer of the server, taken up again where it breaks."""

from contextlib import suppress
from typing import Final

from minio import Minio
from minio.error import S3Error
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from docstore.adapters.storage.s3.errors import RANGE_BEYOND_END, s3_errors
from docstore.domain.errors import Unavailable

PIECE: Final = 256 * 1024  # bytes


class Reading:
    """One reader's; one step at a time, each in whatever thread. Ends with `close`.

    As long as the server's answer goes on it is of one object, whatever becomes of the key. Where
    an answer breaks off, the rest is asked for, of that same object alone.
    """

    def __init__(
        self, client: Minio, bucket: str, key: str, start: int, length: int | None, *, tries: int
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key
        self._offset = start
        self._left = length  # None until the server has told
        self._tries = tries
        self._etag = ""
        self._answer: BaseHTTPResponse | None = None

    @property
    def is_open(self) -> bool:
        return self._answer is not None

    def first(self) -> bytes:
        """Ask for the object; its first piece. NotFound when it is not there."""
        with s3_errors(self._key):
            try:
                self._ask({})
            except S3Error as error:
                if error.code != RANGE_BEYOND_END or self._left is not None:
                    raise
                self._left = 0  # from the end to the end
        return self.next()

    def next(self) -> bytes:
        """The next piece, empty after the last."""
        with s3_errors(self._key):
            for tried in range(1, self._tries + 1):
                try:
                    return self._read()
                except HTTPError:
                    if tried == self._tries:
                        raise
                    self._resume()
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            with suppress(HTTPError, OSError):
                answer.close()
                answer.release_conn()

    def _read(self) -> bytes:
        if self._answer is None or self._left == 0:
            self.close()
            return b""
        piece = self._answer.read(min(PIECE, self._left or PIECE), decode_content=False)
        if not piece:
            raise Unavailable(f"{self._key}: the server's answer ends too early")
        self._offset += len(piece)
        self._left = (self._left or 0) - len(piece)
        if self._left == 0:
            self._end()
        return piece

    def _end(self) -> None:
        """Read the end that HTTP marks, so that the connection can be used again."""
        answer, self._answer = self._answer, None
        assert answer is not None
        answer.read(1)
        answer.release_conn()

    def _resume(self) -> None:
        self.close()
        try:
            self._ask({"If-Match": f'"{self._etag}"'})
        except S3Error as error:
            if error.response.status not in (404, 412):
                raise
            raise Unavailable(f"{self._key}: replaced or deleted while it was read") from error

    def _ask(self, headers: dict[str, str | list[str] | tuple[str]]) -> None:
        answer = self._client.get_object(
            self._bucket, self._key, self._offset, self._left or 0, request_headers=headers
        )
        self._answer = answer
        self._etag = answer.headers.get("etag", "").strip('"')
        told = int(answer.headers.get("content-length", "no length"))  # else a ValueError
        is_part = self._offset > 0 or self._left is not None
        if (is_part and answer.status != 206) or self._left not in (None, told):
            self.close()
            raise Unavailable(f"{self._key}: the server answers another range than was asked")
        self._left = told
