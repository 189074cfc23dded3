import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from cancelling import cancelled_at_each_wait
from docstore.adapters.persistence.sql.postgresql.database import PostgresqlDatabase, connect
from docstore.testing import a_user
from docstore.testing.unit_of_work.saving import save

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(url: str) -> AsyncIterator[PostgresqlDatabase]:
    # asyncpg forgets a future when it is cancelled while it asks for TLS, and asyncio tells of it.
    async with connect(f"{url}?sslmode=disable", durable=False) as database:
        yield database


async def users(database: PostgresqlDatabase) -> int:
    async with database.begin(read_only=True) as tx:
        return len(await tx.users.all())


async def no_connection_is_lost(database: PostgresqlDatabase) -> bool:
    """Whether all of the pool can still be had at once."""
    async with AsyncExitStack() as stack:
        for _ in range(database._options.pool_size):
            tx = await stack.enter_async_context(database.begin())
            await tx.now()
    return True


async def test_a_cancelled_transaction_is_rolled_back(database: PostgresqlDatabase) -> None:
    inside = asyncio.Event()

    async def never_ends() -> None:
        async with database.begin() as tx:
            await tx.users.add(a_user())
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(never_ends())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await users(database) == 0


async def test_cancelled_at_any_wait_a_writer_leaves_all_or_nothing(
    database: PostgresqlDatabase,
) -> None:
    async def add_two() -> None:
        async with database.begin() as tx:
            await tx.users.add(a_user())
            await tx.users.add(a_user())
            await tx.commit()

    assert await cancelled_at_each_wait(add_two) > 3
    assert await users(database) % 2 == 0
    assert await no_connection_is_lost(database)


async def test_cancelled_at_any_wait_a_reader_does_no_harm(database: PostgresqlDatabase) -> None:
    async def read() -> None:
        async with database.begin(read_only=True) as tx:
            await tx.users.all()
            await tx.now()

    await save(database.begin, a_user())
    assert await cancelled_at_each_wait(read) > 2
    assert await no_connection_is_lost(database)


async def test_cancelled_while_another_holds_the_row(database: PostgresqlDatabase) -> None:
    user = a_user()
    await save(database.begin, user)

    async def lock() -> None:
        async with database.begin() as tx:
            await tx.users.lock(user.id)

    async with database.begin() as tx:
        await tx.users.lock(user.id)
        waiting = asyncio.create_task(lock())
        assert not (await asyncio.wait({waiting}, timeout=0.1))[0]
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await lock()
    assert await no_connection_is_lost(database)
