"""Whether a request may be sent again, and after how long."""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import httpx

TRIES: Final = 3  # of what somebody waits for at a terminal
PATIENT: Final = 8  # tries of a transfer: an upload that died with its server is ours in a minute
LONGEST_PAUSE: Final = 60.0  # seconds that a server may tell us to wait
FIRST_PAUSE: Final = 0.5
LONGEST_BACK_OFF: Final = 30.0

_BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_OF_A_PROXY: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})


def pause_after(answer: httpx.Response, tried: int, *, is_repeatable: bool) -> float | None:
    """Seconds after which that request may be sent again, after so many tries; None: never.

    One that the server put off was not begun, so it may be sent again whatever it is.
    """
    if answer.status_code in _BUSY and (told := _told(answer)) is not None:
        return told if told <= LONGEST_PAUSE else None
    if is_repeatable and (_may_pass(answer) or _runs_still(answer)):
        return back_off(tried)
    return None


def back_off(tried: int) -> float:
    """Seconds to wait after so many tries: twice as long each time, and never in step."""
    seconds = min(FIRST_PAUSE * 2 ** (tried - 1), LONGEST_BACK_OFF)
    return float(seconds * (1 + random.random() / 2))


def is_passing(error: httpx.TransportError) -> bool:
    """Whether another try may go better."""
    return not isinstance(error, (httpx.UnsupportedProtocol, httpx.LocalProtocolError))


def _may_pass(answer: httpx.Response) -> bool:
    return answer.status_code in _BUSY | _OF_A_PROXY


def _runs_still(answer: httpx.Response) -> bool:
    """The first try, of which we heard no more, has not ended at the server."""
    return answer.status_code == HTTPStatus.CONFLICT and "/problems/in-progress" in answer.text


def _told(answer: httpx.Response) -> float | None:
    """Retry-After, which is seconds or a date (RFC 9110 10.2.3); None when it makes no sense."""
    value = answer.headers.get("Retry-After", "").strip()
    try:
        if value.isascii() and value.isdecimal():
            seconds = float(value)
        else:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return seconds if seconds > 0 else None
