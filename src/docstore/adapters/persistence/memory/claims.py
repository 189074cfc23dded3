from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from docstore.adapters.persistence.memory.transaction import Rows, Transaction
from docstore.domain.errors import NotFound, StaleVersion
from docstore.domain.idempotency import Claim, IdempotencyKey
from docstore.domain.ids import UserId


class MemoryClaims:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def find(self, user_id: UserId, key: IdempotencyKey) -> Claim | None:
        return self._transaction.rows.claims.get((user_id, key))

    async def put(self, claim: Claim, *, before: Claim | None) -> None:
        def change(rows: Rows) -> None:
            if _identity(rows.claims.get((claim.user_id, claim.key))) != _identity(before):
                raise StaleVersion(f"the key {claim.key} is claimed by another request")
            if claim.user_id not in rows.users:
                raise NotFound("user of", f"key {claim.key}")
            rows.claims[claim.user_id, claim.key] = claim

        self._transaction.make(change)

    async def delete(self, claim: Claim) -> None:
        def change(rows: Rows) -> None:
            if _identity(rows.claims.get((claim.user_id, claim.key))) == _identity(claim):
                del rows.claims[claim.user_id, claim.key]

        self._transaction.make(change)

    async def forget(self, before: datetime) -> int:
        def expired(rows: Rows) -> Sequence[tuple[UUID, str]]:
            return [place for place, claim in rows.claims.items() if claim.expires_at < before]

        def change(rows: Rows) -> None:
            for place in expired(rows):
                del rows.claims[place]

        count = len(expired(self._transaction.rows))
        self._transaction.make(change)
        return count


def _identity(claim: Claim | None) -> object:
    return claim and (claim.token, claim.is_answered)
