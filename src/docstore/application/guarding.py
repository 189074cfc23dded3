"""Against those who try too often: they are told when to try again, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from docstore.application.ports.rate_limiter import RateLimiter
from docstore.domain import names
from docstore.domain.errors import (
    AlreadyExists,
    DocstoreError,
    InvalidField,
    NotAuthenticated,
    RateLimited,
    WrongPassword,
)
from docstore.domain.ids import UserId
from docstore.domain.rates import Decision, Rate
from docstore.domain.user import User

PATIENCE: Final = 10.0  # seconds that a try waits for those before it
FIRST_PAUSE: Final = 0.02  # seconds between looks whether there is room; then a little longer
LAST_PAUSE: Final = 0.2
LONGEST_CHECK: Final = 60.0  # seconds after which a try without an end counts no more


@dataclass(frozen=True, slots=True)
class UploadGuard:
    """Counts the files that a user uploads, refused ones among them."""

    limiter: RateLimiter
    rate: Rate | None  # None: as many as they like

    async def one_more(self, user_id: UserId) -> Decision | None:
        """Whether the user may upload one file more, which counts from now on if so."""
        if self.rate is None:
            return None
        return await self.limiter.take(f"uploads:{user_id}", cost=1, rate=self.rate)


@dataclass(frozen=True, slots=True)
class LoginGuard:
    """Counts failures by account and by address; right passwords cost nothing.

    Tries that are still being checked count as failures until they are known to be none: else a
    hundred at once would all be let through. One that finds no room for that reason alone waits.
    An address is whatever the entrypoint knows of where the caller is; None is not counted.
    """

    limiter: RateLimiter
    rate: Rate  # of failures
    jitter: Callable[[], float]  # draws from [0, 1]

    def signing_in(self, email: str, address: str | None) -> AbstractAsyncContextManager[None]:
        """To be entered around the check of a password. NotAuthenticated inside is a failure.

        Raises RateLimited, for an address without an account as for any other.
        """
        return self._try([*_account(email), *_from("address", address)], NotAuthenticated)

    def confirming(self, user: User, address: str | None) -> AbstractAsyncContextManager[None]:
        """The same for the password of who is signed in already: WrongPassword is a failure."""
        account = _account(user.email or "") or [f"account:{user.id}"]
        return self._try([*account, *_from("address", address)], WrongPassword)

    def registering(self, address: str | None) -> AbstractAsyncContextManager[None]:
        """Around a registration: AlreadyExists tells who has an account, so it is a failure."""
        return self._try(_from("registration", address), AlreadyExists)

    @asynccontextmanager
    async def _try(self, subjects: list[str], failure: type[DocstoreError]) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for subject in subjects:
                await self._admit(subject)
                stack.push_async_callback(partial(self._leave, subject))
            try:
                yield
            except failure:
                for subject in subjects:
                    await self.limiter.take(f"failed:{subject}", cost=1, rate=self.rate)
                raise

    async def _admit(self, subject: str) -> None:
        """Returns once this try and all that are being checked may fail."""
        clock = asyncio.get_running_loop().time
        until = clock() + PATIENCE
        pause = FIRST_PAUSE
        while True:
            wait = await self._obstacle(subject)
            if wait is None:
                return
            if wait.remaining == 0 or clock() >= until:
                raise RateLimited(wait.wait)
            await asyncio.sleep(pause * (0.5 + self.jitter()))  # not all at the same moment
            pause = min(pause * 1.5, LAST_PAUSE)

    async def _obstacle(self, subject: str) -> Decision | None:
        """None when there was room, which is taken; else how it stands with failures."""
        checked = await self.limiter.take(f"checked:{subject}", cost=1, rate=self._checks)
        # Looked at second: who fails is counted there before he leaves here.
        failed = await self.limiter.take(f"failed:{subject}", cost=0, rate=self.rate)
        if checked.allowed:
            if checked.remaining + failed.remaining >= self.rate.limit:
                return None
            await self._leave(subject)
        return failed

    async def _leave(self, subject: str) -> None:
        await self.limiter.give_back(f"checked:{subject}", cost=1, rate=self._checks)

    @property
    def _checks(self) -> Rate:
        return Rate(self.rate.limit, max(self.rate.window, LONGEST_CHECK))


def _account(email: str) -> list[str]:
    """One subject for all spellings of an address; none for what can be no account's."""
    try:
        return [f"account:{names.email(email)}"]
    except InvalidField:
        return []


def _from(kind: str, address: str | None) -> list[str]:
    return [] if address is None else [f"{kind}:{address}"]
