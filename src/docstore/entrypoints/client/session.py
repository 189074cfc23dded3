"""Requests to a docstore in somebody's name, sent again where that can do no harm."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from docstore.entrypoints.client.errors import Refused, Unreachable

ANSWER: Final = httpx.Timeout(30.0, read=120.0)  # seconds; an upload is hashed before its answer
TRIES: Final = 6  # of one request
LONGEST_PAUSE: Final = 60.0  # seconds that a server may tell us to wait
FIRST_PAUSE: Final = 0.5

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Session:
    """`http` carries the address and the token."""

    http: httpx.AsyncClient
    pause: Callable[[float], Any] = field(default=asyncio.sleep)

    async def ask(self, method: str, path: str, **request: Any) -> Json:
        """The JSON of the answer; empty where there is none. Raises Refused or Unreachable."""
        answer = await self.send(method, path, **request)
        body: Json = answer.json() if answer.content else {}
        return body

    async def send(
        self,
        method: str,
        path: str,
        *,
        is_repeatable: bool | None = None,
        body: Callable[[], AsyncIterator[bytes]] | None = None,
        **request: Any,
    ) -> httpx.Response:
        """The answer, read. One that is no success is Refused.

        A request that the server did not want yet is sent again, after the time that it said; one
        that was cut is, when it `is_repeatable`, as GET always is. `body` gives it anew.
        """
        repeats = method in ("GET", "HEAD") if is_repeatable is None else is_repeatable
        for left in reversed(range(TRIES)):
            if body is not None:
                request["content"] = body()
            try:
                answer = await self.http.request(method, path, **request)
            except httpx.TransportError as error:
                if not (left and repeats and _may_pass(error)):
                    raise unreachable(error) from error
                await self.pause(_back_off(left))
                continue
            if answer.is_success:
                return answer
            seconds = _told_to_wait(answer) or (_back_off(left) if _runs_still(answer) else None)
            if not (left and seconds):
                raise refusal(answer)
            await self.pause(seconds)
        raise AssertionError("the last try returns or raises")

    @asynccontextmanager
    async def stream(self, path: str, headers: dict[str, str]) -> AsyncIterator[httpx.Response]:
        """A GET whose answer is read by whoever asks. Refused as in `send`."""
        try:
            async with self.http.stream("GET", path, headers=headers) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise refusal(answer)
                yield answer
        except httpx.TransportError as error:
            raise unreachable(error) from error


def unreachable(error: httpx.TransportError) -> Unreachable:
    where = f"{error.request.url.scheme}://{error.request.url.netloc.decode()}"
    return Unreachable(f"no answer from {where}: {str(error) or type(error).__name__}")


def refusal(answer: httpx.Response) -> Refused:
    """What the server said, in one line."""
    try:
        problem = answer.json()
        told = [str(problem["detail"])]
        told += [f"{each['field']}: {each['message']}" for each in problem.get("errors", ())]
    except (ValueError, KeyError, TypeError, AttributeError):
        told = [f"{answer.status_code} {answer.reason_phrase}, which docstore does not say"]
    if len(told) == 2 and told[1] in told[0]:
        del told[1]
    return Refused(answer.status_code, "; ".join(told))


def _may_pass(error: httpx.TransportError) -> bool:
    return not isinstance(error, (httpx.UnsupportedProtocol, httpx.LocalProtocolError))


def _told_to_wait(answer: httpx.Response) -> float | None:
    if answer.status_code not in (429, 503):
        return None
    try:
        seconds = float(answer.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
    return seconds if 0 < seconds <= LONGEST_PAUSE else None


def _runs_still(answer: httpx.Response) -> bool:
    """The first try, of which we heard no more, has not ended at the server."""
    return answer.status_code == 409 and "/problems/in-progress" in answer.text


def _back_off(left: int) -> float:
    return FIRST_PAUSE * float(2 ** (TRIES - 1 - left)) * (0.5 + random.random() / 2)
