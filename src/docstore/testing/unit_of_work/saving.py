"""What the parts of the contract share: an empty database, and rows put into it."""

import pytest

from docstore.application.ports.unit_of_work import Begin, UnitOfWork
from docstore.domain.file import File
from docstore.domain.job import Job
from docstore.domain.user import User
from docstore.testing.builders import a_user


async def save(begin: Begin, *entities: User | File | Job) -> None:
    """Add all of them in one transaction: owners before their files, files before their jobs."""
    await save_in(begin(), *entities)


async def save_in(unit: UnitOfWork, *entities: User | File | Job) -> None:
    """The same in a transaction that is not begun yet."""
    async with unit as tx:
        for entity in entities:
            match entity:
                case User():
                    await tx.users.add(entity)
                case File():
                    await tx.files.add(entity)
                case Job():
                    await tx.jobs.add(entity)
        await tx.commit()


@pytest.mark.anyio
class OnAnEmptyDatabase:
    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    async def begin(self) -> Begin:
        """Starts a transaction on an empty database; to be overridden."""
        raise NotImplementedError

    @pytest.fixture
    async def owner(self, begin: Begin) -> User:
        """Somebody already saved."""
        user = a_user()
        await save(begin, user)
        return user
