"""Why a file could not be processed, and what that means for trying again."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FailureCode(StrEnum):
    """Public, stable; the `error.code` of a file."""

    CORRUPT = "corrupt"
    ARCHIVE_TOO_LARGE = "archive_too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASHED = "crashed"
    OUTPUT_TOO_LARGE = "output_too_large"
    UNAVAILABLE = "unavailable"


CRASHES: Final = frozenset({FailureCode.CRASHED})
"""A parser's process died. Counted apart: a poison file gets fewer attempts than bad luck."""

TRIED_AGAIN: Final = frozenset({FailureCode.CRASHED, FailureCode.UNAVAILABLE})
"""Worth another attempt by itself. The others say the same thing each time they are asked."""

WORTH_A_RETRY_BY_HAND: Final = TRIED_AGAIN | {FailureCode.TIMEOUT, FailureCode.MEMORY}
"""A person may change the machine or the limits, then ask again."""


MAX_MESSAGE: Final = 500  # characters


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt's end, when it is not success."""

    code: FailureCode
    message: str  # for the owner; at most MAX_MESSAGE characters, safe to store and to send

    def __post_init__(self) -> None:
        # A parser's words come from a hostile file: nothing in them may upset a database.
        clean = self.message.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
        object.__setattr__(self, "message", clean[:MAX_MESSAGE])

    @property
    def is_crash(self) -> bool:
        return self.code in CRASHES

    @property
    def is_final(self) -> bool:
        return self.code not in TRIED_AGAIN

    @property
    def retryable(self) -> bool:
        return self.code in WORTH_A_RETRY_BY_HAND
