from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Executable, bindparam, delete, insert, select, update

from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.tables import idempotency_keys
from docstore.adapters.persistence.sql.transaction import Transaction
from docstore.adapters.persistence.sql.versioned import deletion_of_free
from docstore.domain.errors import AlreadyExists, StaleVersion
from docstore.domain.file import Details, File
from docstore.domain.idempotency import Claim, IdempotencyKey
from docstore.domain.ids import FileId, UserId
from docstore.domain.keys import staging_key

_column = idempotency_keys.c
_is_it = (_column.user_id == bindparam("owner")) & (_column.key == bindparam("its_key"))
_is_held = _is_it & (_column.token == bindparam("its_token"))
_is_running = _is_held & _column.fingerprint.is_(None)
_is_answered = _is_held & _column.fingerprint.is_not(None)

FIND: Final = select(idempotency_keys).where(_is_it)
ADD: Final = insert(idempotency_keys)
REPLACE_RUNNING: Final = update(idempotency_keys).where(_is_running)
REPLACE_ANSWERED: Final = update(idempotency_keys).where(_is_answered)
DELETE_RUNNING: Final = delete(idempotency_keys).where(_is_running)
DELETE_ANSWERED: Final = delete(idempotency_keys).where(_is_answered)
FORGET: Final = deletion_of_free(idempotency_keys, _column.expires_at < bindparam("before"))


class SqlClaims:
    def __init__(self, db: Transaction) -> None:
        self._db = db

    async def find(self, user_id: UserId, key: IdempotencyKey) -> Claim | None:
        with sql_errors("idempotency key"):
            rows = await self._db.fetch(FIND, {"owner": user_id, "its_key": key})
        return _to_claim(rows[0]) if rows else None

    async def put(self, claim: Claim, *, before: Claim | None) -> None:
        try:
            done = await self._put(claim, before)
        except AlreadyExists:
            done = 0
        if not done:
            raise StaleVersion("the idempotency key is claimed by another request")

    async def _put(self, claim: Claim, before: Claim | None) -> int:
        if before is None:
            return await self._change(ADD, _to_row(claim))
        statement = REPLACE_ANSWERED if before.is_answered else REPLACE_RUNNING
        return await self._change(statement, {**_to_row(claim), **_place_of(before)})

    async def delete(self, claim: Claim) -> None:
        statement = DELETE_ANSWERED if claim.is_answered else DELETE_RUNNING
        await self._change(statement, _place_of(claim))

    async def forget(self, before: datetime) -> int:
        return await self._change(FORGET, {"before": before}, long=True)

    async def _change(
        self, statement: Executable, values: Mapping[str, Any], *, long: bool = False
    ) -> int:
        with sql_errors("idempotency key", parent="user"):
            return await self._db.change(statement, values, long=long)


def _place_of(claim: Claim) -> Mapping[str, Any]:
    return {"owner": claim.user_id, "its_key": claim.key, "its_token": claim.token}


def _to_row(claim: Claim) -> Mapping[str, Any]:
    return {
        "user_id": claim.user_id,
        "key": claim.key,
        "token": claim.token,
        "expires_at": claim.expires_at,
        "fingerprint": claim.fingerprint,
        "answer": [_told(file) for file in claim.files] if claim.is_answered else None,
    }


def _to_claim(row: Sequence[Any]) -> Claim:
    user_id, key, token, expires_at, fingerprint, answer = row
    return Claim(
        user_id=user_id,
        key=key,
        token=token,
        expires_at=expires_at,
        fingerprint=fingerprint,
        files=tuple(_file(user_id, told) for told in answer or ()),
    )


# What an upload decides of a file; all else is at its default then. Once written it is read for a
# day: a key that is added here is to be read with `get`.


def _told(file: File) -> Mapping[str, Any]:
    return {
        "id": str(file.id),
        "filename": file.original_filename,
        "size": file.size,
        "sha256": file.sha256,
        "media_type": file.media_type,
        "declared_media_type": file.declared_media_type,
        "key": file.key,
        "uploaded_at": file.uploaded_at.isoformat(),
        "title": file.details.title,
        "description": file.details.description,
        "tags": list(file.details.tags),
        "metadata": file.details.metadata,
    }


def _file(user_id: UserId, told: Mapping[str, Any]) -> File:
    file_id = FileId(UUID(told["id"]))
    uploaded_at = datetime.fromisoformat(told["uploaded_at"])
    return File(
        id=file_id,
        user_id=user_id,
        original_filename=told["filename"],
        size=told["size"],
        sha256=told["sha256"],
        media_type=told["media_type"],
        declared_media_type=told["declared_media_type"],
        key=told["key"],
        storage_path=staging_key(file_id),
        uploaded_at=uploaded_at,
        updated_at=uploaded_at,
        details=Details(
            title=told["title"],
            description=told["description"],
            tags=tuple(told["tags"]),
            metadata=told["metadata"],
        ),
    )
