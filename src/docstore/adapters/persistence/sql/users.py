from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select

from docstore.adapters.persistence.sql.rows import from_user, to_user
from docstore.adapters.persistence.sql.tables import OF_FILES, jobs, users
from docstore.adapters.persistence.sql.versioned import Statements, VersionedRows
from docstore.domain.ids import UserId
from docstore.domain.names import Email
from docstore.domain.user import FIXED, User

_BY_EMAIL = select(users).where(users.c.email == bindparam("email"))
_BY_EXTERNAL_ID = select(users).where(users.c.external_id == bindparam("external_id"))
_LOCK = select(users).where(users.c.id == bindparam("id")).with_for_update()
# Before their files: see `files.DELETE_JOBS`.
_DELETE_JOBS = delete(jobs).where(jobs.c.user_id == bindparam("owner"), OF_FILES)
_ALL = select(users).order_by(users.c.created_at, users.c.id)


class SqlUsers(VersionedRows[User]):
    kind = "user"
    parent = "parent"
    statements = Statements(users, FIXED)
    read = to_user
    written = from_user

    async def get(self, user_id: UserId) -> User:
        return await self._by_id(user_id)

    async def lock(self, user_id: UserId) -> User:
        return await self._one(user_id, _LOCK, {"id": user_id})

    async def by_email(self, email: Email) -> User:
        return await self._one(email, _BY_EMAIL, {"email": email})

    async def by_external_id(self, external_id: str) -> User:
        return await self._one(external_id, _BY_EXTERNAL_ID, {"external_id": external_id})

    async def all(self) -> Sequence[User]:
        return await self._all(_ALL, {}, long=True)

    async def delete(self, user_id: UserId) -> None:
        await self._change(_DELETE_JOBS, {"owner": user_id}, long=True)
        await self._delete(user_id, long=True)  # with all that is theirs
