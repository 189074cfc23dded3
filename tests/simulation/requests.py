"""What a client gets instead of an answer."""

import asyncio
from typing import TypeVar

from docstore.domain.errors import Unavailable

T = TypeVar("T")


class ConnectionLost(Unavailable):
    """The process died before it answered; what was asked for may have been done."""


class HungUp(Exception):
    """The client did not wait for the answer; it may have been done too."""


def forward(answer: asyncio.Future[T], done: asyncio.Task[T]) -> None:
    """Tell whoever still waits for `answer` how the request ended."""
    if answer.done():
        return
    if done.cancelled():
        answer.set_exception(HungUp())
    elif error := done.exception():
        answer.set_exception(error)
    else:
        answer.set_result(done.result())
