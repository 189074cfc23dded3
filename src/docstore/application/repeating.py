"""Requests that are sent again because nobody knows what became of the first."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from docstore.application.ports.unit_of_work import Begin
from docstore.application.stopping import stop
from docstore.domain.errors import (
    Conflict,
    DocstoreError,
    InProgress,
    NotAuthenticated,
    NotFound,
    StaleVersion,
)
from docstore.domain.file import Details
from docstore.domain.idempotency import RUNNING, Claim, IdempotencyKey, fingerprint
from docstore.domain.ids import LeaseToken, UserId

log = logging.getLogger(__name__)

RENEWAL: Final = RUNNING / 3  # seconds between renewals
_HELD: Final = "a request with that Idempotency-Key is running; ask again for its answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """That a request is to take effect once, however often it is sent."""

    key: IdempotencyKey
    route: str = ""  # where it goes
    query: str = ""

    def fingerprint(self, details: Details, files: Iterable[tuple[str, str]]) -> str:
        """`files` are names and SHA-256."""
        return fingerprint(route=self.route, query=self.query, details=details, files=files)


@dataclass(frozen=True, slots=True)
class ClaimKey:
    """A key for the time that its request runs.

    The use case answers the claim in the transaction that does its work, so the two are there
    together or not at all. A request that is refused or abandoned gives its key back; that of
    a process that died is free once its claim has expired.
    """

    begin: Begin
    new_token: Callable[[], UUID]

    @asynccontextmanager
    async def __call__(self, user_id: UserId, key: IdempotencyKey) -> AsyncIterator[Claim]:
        """The claim: that of an earlier request, when that one is answered, or our own.

        Raises InProgress while another request holds the key.
        """
        claim = await self._take(user_id, key)
        if claim.is_answered:
            yield claim
            return
        keeper = asyncio.create_task(self._keep(claim))
        try:
            yield claim
        except BaseException:
            # Shielded as a whole: see `Upload._discard`.
            await asyncio.shield(self._release(claim, keeper))
            raise
        await stop(keeper)

    async def _take(self, user_id: UserId, key: IdempotencyKey) -> Claim:
        claim: Claim | None = None
        try:
            async with self.begin() as tx:
                now = await tx.now()
                before = await tx.claims.find(user_id, key)
                if before is not None and before.stands(now):
                    return _answered(before)
                claim = Claim.of(user_id, key, token=LeaseToken(self.new_token()), now=now)
                await tx.claims.put(claim, before=before)
                await tx.commit()
        except BaseException as error:
            if claim is not None:  # and perhaps committed, though nobody heard of it
                await asyncio.shield(self._free(claim))
            if isinstance(error, NotFound):
                raise NotAuthenticated("the account is gone") from error
            if isinstance(error, StaleVersion):
                raise InProgress(_HELD) from None
            raise
        return claim

    async def _keep(self, claim: Claim) -> None:
        """Renew the claim until that fails for good: then the answer will be refused."""
        while True:
            await asyncio.sleep(RENEWAL)
            try:
                async with self.begin() as tx:
                    renewed = claim.renewed(await tx.now())
                    await tx.claims.put(renewed, before=claim)
                    await tx.commit()
            except Conflict:
                return
            except DocstoreError as error:
                log.warning("the claim on an idempotency key was not renewed: %s", error)

    async def _release(self, claim: Claim, keeper: "asyncio.Task[None]") -> None:
        await stop(keeper)
        await self._free(claim)

    async def _free(self, claim: Claim) -> None:
        try:
            async with self.begin() as tx:
                await tx.claims.delete(claim)
                await tx.commit()
        except DocstoreError as error:
            log.warning("an idempotency key stays claimed for a while: %s", error)


def _answered(claim: Claim) -> Claim:
    if not claim.is_answered:
        raise InProgress(_HELD)
    return claim
