"""RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10) on uploads."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

import http_sf
from litestar import Request
from litestar.types import Scope

from docstore.application.guarding import UploadGuard
from docstore.application.uploading import Part
from docstore.domain.errors import RateLimited
from docstore.domain.rates import Decision, Rate
from docstore.domain.user import User

FIELDS: Final = ("RateLimit", "RateLimit-Policy")
POLICY: Final = "uploads"
_STATE: Final = "docstore_rate_limit"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the caller may upload still. The answer tells how it stands in the end."""

    request: Request[User, Any, Any]
    guard: UploadGuard

    async def take_one(self) -> None:
        """Count one file more; RateLimited when that is one too many."""
        decision = await self.guard.one_more(self.request.user.id)
        if decision is None or self.guard.rate is None:
            return
        self.request.scope["state"][_STATE] = list(_headers(self.guard.rate, decision))
        if not decision.allowed:
            raise RateLimited(decision.wait)

    async def after_the_first(
        self, parts: AsyncGenerator[Part, None]
    ) -> AsyncGenerator[Part, None]:
        """`parts`, each counted as it arrives but for the first, which the request stood for."""
        first = True
        async with aclosing(parts):
            async for part in parts:
                if not first:
                    await self.take_one()
                first = False
                yield part


def rate_limit(scope: Scope) -> Iterable[tuple[bytes, bytes]]:
    """Whatever is answered, it tells how the caller stands."""
    told: Iterable[tuple[bytes, bytes]] = scope["state"].get(_STATE, ())
    return told


def _headers(rate: Rate, decision: Decision) -> list[tuple[bytes, bytes]]:
    left = {"r": decision.remaining, "t": ceil(decision.wait.total_seconds())}
    policy = {"q": rate.limit, "w": int(rate.window)}
    return [
        (field.lower().encode(), _item(parameters))
        for field, parameters in zip(FIELDS, (left, policy), strict=True)
    ]


def _item(parameters: Mapping[str, int]) -> bytes:
    member: Any = (POLICY, {**parameters})
    return http_sf.ser([member]).encode()
