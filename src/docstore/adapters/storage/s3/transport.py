"""How long and how often the server is asked.

The SDK's own pool waits five minutes for each answer, tries six times without a limit to all of
it, and never repeats a POST. This one keeps to `Limits`, whatever is asked. Every body is bytes
and every request of S3 may be repeated: a second CreateMultipartUpload leaves one more upload,
which `tidy` finds.
"""

import logging
import os
import random
import time
from typing import Any, Final

import certifi
from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError, NameResolutionError, SSLError

from docstore.adapters.storage.s3.location import Limits

log = logging.getLogger(__name__)

_PAUSE: Final = 0.25  # seconds before the second try, doubled before each next; half is chance
_AGAIN: Final = frozenset({408, 429, 500, 502, 503, 504})
_DENIED: Final = b"<Code>AccessDenied</Code>"
"""MinIO answers so, too, to a put into a folder that it removes just then: a delete emptied it."""
_FINAL: Final = (SSLError, NameResolutionError)
"""A certificate or a name that is wrong now is wrong in a second."""


class Transport(PoolManager):
    """Connections to one server. All of it blocks."""

    def __init__(self, limits: Limits, connections: int) -> None:
        super().__init__(
            maxsize=connections,
            cert_reqs="CERT_REQUIRED",
            ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
        )
        self._limits = limits

    def urlopen(  # type: ignore[override]  # the parent's is untyped beyond these
        self, method: str, url: str, redirect: bool = True, **kw: Any
    ) -> BaseHTTPResponse:
        """The first answer that is no passing trouble, else the last one. What prevents even an
        answer is raised. A redirect is never followed: what we sign is meant for one host.
        """
        until = time.monotonic() + self._limits.total_timeout
        tried = 0
        while True:
            tried += 1
            kw["timeout"] = self._timeout(method, until)
            try:
                answer = super().urlopen(method, url, redirect=False, retries=False, **kw)
            except HTTPError as error:
                if isinstance(error, _FINAL) or not self._pause(tried, until, type(error).__name__):
                    raise
            else:
                if not _may_pass(method, answer) or not self._pause(tried, until, answer.status):
                    return answer
                answer.close()

    def _timeout(self, method: str, until: float) -> Timeout:
        """For the next try. A POST completes an upload, which may take a server its time."""
        left = max(until - time.monotonic(), 0.001)
        longest = left if method == "POST" else min(left, self._limits.read_timeout)
        return Timeout(connect=min(left, self._limits.connect_timeout), read=longest)

    def _pause(self, tried: int, until: float, reason: object) -> bool:
        """Whether there will be another try; after a pause, if so."""
        pause = _PAUSE * 2 ** (tried - 1) * random.uniform(0.5, 1.0)
        if tried >= self._limits.tries or time.monotonic() + pause >= until:
            return False
        log.info("S3 answered %s; trying again", reason)
        time.sleep(pause)
        return True


def _may_pass(method: str, answer: BaseHTTPResponse) -> bool:
    """Whether it may be another answer next time."""
    is_denied = method == "PUT" and answer.status == 403 and _DENIED in answer.data
    return is_denied or answer.status in _AGAIN
