from collections.abc import Sequence
from uuid import UUID

from docstore.adapters.persistence.memory.table import MemoryTable
from docstore.adapters.persistence.memory.transaction import Rows, delete_file
from docstore.domain.errors import AlreadyExists, NotFound, StaleVersion
from docstore.domain.ids import UserId
from docstore.domain.names import Email
from docstore.domain.user import FIXED, User


class MemoryUsers(MemoryTable[User]):
    kind = "user"
    fixed = FIXED

    def _table(self, rows: Rows) -> dict[UUID, User]:
        return rows.users

    def _check(self, entity: User, rows: Rows) -> None:
        others = (user for user in rows.users.values() if user.id != entity.id)
        for user in others:
            if entity.email is not None and user.email == entity.email:
                raise AlreadyExists("the e-mail address is taken")
            if entity.external_id is not None and user.external_id == entity.external_id:
                raise AlreadyExists("the external id is taken")

    async def get(self, user_id: UserId) -> User:
        return self._get(user_id)

    async def lock(self, user_id: UserId) -> User:
        def theirs(rows: Rows) -> set[UUID]:
            return {file.id for file in rows.files.values() if file.user_id == user_id}

        def check(rows: Rows) -> None:
            if theirs(rows) != seen:
                raise StaleVersion(f"the files of user {user_id} have changed")

        seen = theirs(self._rows)
        self._transaction.make(check)
        return self._get(user_id)

    async def by_email(self, email: Email) -> User:
        return self._first(email, (u for u in self._rows.users.values() if u.email == email))

    async def by_external_id(self, external_id: str) -> User:
        users = self._rows.users.values()
        return self._first(external_id, (u for u in users if u.external_id == external_id))

    async def all(self) -> Sequence[User]:
        return sorted(self._rows.users.values(), key=lambda user: (user.created_at, user.id))

    async def delete(self, user_id: UserId) -> None:
        def change(rows: Rows) -> None:
            if rows.users.pop(user_id, None) is None:
                raise NotFound(self.kind, user_id)
            for file in [file for file in rows.files.values() if file.user_id == user_id]:
                delete_file(rows, file.id)
            for place in [place for place in rows.claims if place[0] == user_id]:
                del rows.claims[place]

        self._transaction.make(change)
