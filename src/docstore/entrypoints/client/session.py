"""Requests to a docstore in somebody's name, sent again where that can do no harm."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import httpx

from docstore.entrypoints.client.errors import Refused, Unreachable
from docstore.entrypoints.client.retrying import TRIES, back_off, is_passing, pause_after

ANSWER: Final = httpx.Timeout(30.0, read=120.0)  # seconds; an upload is hashed before its answer
AS_IT_IS: Final = {"Accept-Encoding": "identity"}  # a proxy might else change bytes and ETags

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Session:
    """`http` carries the address and the token."""

    http: httpx.AsyncClient
    pause: Callable[[float], Any] = field(default=asyncio.sleep)

    async def ask(self, method: str, path: str, **request: Any) -> Json:
        """The JSON of the answer; empty where there is none. Raises Refused or Unreachable."""
        return object_in(await self.send(method, path, **request))

    async def send(
        self,
        method: str,
        path: str,
        *,
        is_repeatable: bool | None = None,
        tries: int = TRIES,
        body: Callable[[], AsyncIterator[bytes]] | None = None,
        **request: Any,
    ) -> httpx.Response:
        """The answer, read. One that is no success is Refused.

        A request that the server did not want yet is sent again, after the time that it said; one
        that was cut is, when it `is_repeatable`, as GET always is. `body` gives it anew.
        """
        repeats = method in ("GET", "HEAD") if is_repeatable is None else is_repeatable
        for tried in range(1, tries + 1):
            if body is not None:
                request["content"] = body()
            try:
                answer = await self.http.request(method, path, **request)
            except httpx.TransportError as error:
                if tried == tries or not (repeats and is_passing(error)):
                    raise unreachable(error) from error
                await self.pause(back_off(tried))
                continue
            if answer.is_success:
                return answer
            seconds = pause_after(answer, tried, is_repeatable=repeats)
            if tried == tries or seconds is None:
                raise refusal(answer)
            await self.pause(seconds)
        raise AssertionError("the last try returns or raises")

    @asynccontextmanager
    async def stream(
        self, path: str, headers: dict[str, str], *, tries: int = TRIES
    ) -> AsyncIterator[httpx.Response]:
        """A GET whose answer is read by whoever asks. Refused as in `send`; what is cut is not
        asked for again, since somebody may have used the first part of it.
        """
        for tried in range(1, tries + 1):
            try:
                async with self.http.stream("GET", path, headers=headers | AS_IT_IS) as answer:
                    if answer.is_success:
                        yield answer
                        return
                    await answer.aread()
            except httpx.TransportError as error:
                raise unreachable(error) from error
            seconds = pause_after(answer, tried, is_repeatable=True)
            if tried == tries or seconds is None:
                raise refusal(answer)
            await self.pause(seconds)


def object_in(answer: httpx.Response) -> Json:
    """The JSON of an answer, empty where there is none. Refused when it is something else: then
    it is no docstore that answers.
    """
    try:
        found = answer.json() if answer.content else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        message = f"what answers at {_place(answer.request)} is no docstore"
        raise Refused(answer.status_code, message)
    return found


def unreachable(error: httpx.TransportError) -> Unreachable:
    return Unreachable(f"no answer from {_place(error.request)}: {error or type(error).__name__}")


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
    if answer.status_code == HTTPStatus.UNAUTHORIZED and "Authorization" in answer.request.headers:
        told.append("`docstore login` gets a new token")
    return Refused(answer.status_code, "; ".join(told))


def _place(request: httpx.Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc.decode()}"
