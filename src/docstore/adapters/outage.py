"""What is said of a part that does not answer: one line when that begins, one when it is over."""

import logging
import threading
import time

log = logging.getLogger(__name__)


def reason(error: BaseException) -> str:
    """What is said of it; a time-out has nothing to say for itself."""
    return str(error) or "no answer in time"


class Outage:
    """Of one part, as all threads of an adapter see it. `meanwhile` says what that means."""

    def __init__(self, part: str, meanwhile: str) -> None:
        self._part = part
        self._meanwhile = meanwhile
        self._since: float | None = None
        self._lock = threading.Lock()

    def goes_on(self, error: BaseException) -> None:
        """It did not answer."""
        with self._lock:
            if self._since is not None:
                return
            self._since = time.monotonic()
        log.warning("%s does not answer: %s; %s", self._part, reason(error), self._meanwhile)

    def is_over(self) -> None:
        """It answered."""
        if self._since is None:  # nearly always, and not worth the lock
            return
        with self._lock:
            since, self._since = self._since, None
        if since is not None:
            log.info("%s answers again, after %.1f s", self._part, time.monotonic() - since)
