from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Whether, and when, a failed attempt is tried again. Nothing else decides it.

    The waits double from `first_delay` up to `max_delay`, with full jitter: drawn evenly from
    zero to the wait, so that jobs which failed together do not come back together
    (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    """

    max_attempts: int = 5
    max_crashes: int = 3  # of those attempts, how many may have killed the parser's process
    first_delay: timedelta = timedelta(seconds=2)
    max_delay: timedelta = timedelta(minutes=10)

    def delay_after(self, attempts: int, crashes: int = 0, *, jitter: float) -> timedelta | None:
        """The wait after `attempts` started attempts, or None when that was the last.

        `jitter` is drawn by the caller from [0, 1], so that this stays a pure function.
        """
        if attempts >= self.max_attempts or crashes >= self.max_crashes:
            return None
        doublings = max(0, min(attempts - 1, 30))
        return jitter * min(self.first_delay * (1 << doublings), self.max_delay)
