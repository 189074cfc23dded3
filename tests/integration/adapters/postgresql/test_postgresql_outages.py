import asyncio
import ctypes
import os
import signal
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Final

import pytest
from sqlalchemy import make_url, text

from docstore.adapters.persistence.sql.errors import sql_errors
from docstore.adapters.persistence.sql.postgresql import engine
from docstore.adapters.persistence.sql.postgresql.database import PostgresqlDatabase, connect
from docstore.application.ports.unit_of_work import Begin
from docstore.domain.errors import AlreadyExists, DocstoreError, Unavailable
from docstore.testing import a_user
from docstore.testing.unit_of_work.saving import save
from integration.servers import descendants
from integration.services.postgresql import Postgresql, postgresql

pytestmark = pytest.mark.anyio

SO_ATTACH_FILTER: Final = 26  # of Linux
ANSWER = 5.0  # seconds within which whoever asks is told that there is no answer


@pytest.fixture(scope="module")
def own_server() -> Iterator[Postgresql]:
    with postgresql() as server:
        yield server


@pytest.fixture
async def own_database(own_server: Postgresql) -> AsyncIterator[PostgresqlDatabase]:
    async with connect(own_server.new_database()) as database:
        await database.migrate()
        yield database


async def users(begin: Begin) -> int:
    async with begin(read_only=True) as tx:
        return len(await tx.users.all())


@asynccontextmanager
async def with_options(
    url: str, monkeypatch: pytest.MonkeyPatch, **options: str
) -> AsyncIterator[PostgresqlDatabase]:
    """The same database through a pool of its own."""
    for name, value in options.items():
        monkeypatch.setenv(f"DOCSTORE_DATABASE_{name.upper()}", value)
    async with connect(url) as database:
        yield database


class TestAServerThatIsAway:
    async def test_whoever_asks_is_told_and_it_recovers_by_itself(
        self, own_server: Postgresql, own_database: PostgresqlDatabase
    ) -> None:
        own_server.stop()
        for ask in (users, lambda begin: save(begin, a_user())):
            with pytest.raises(Unavailable):
                async with asyncio.timeout(ANSWER):
                    await ask(own_database.begin)
        with pytest.raises(Unavailable):
            await own_database.ping()
        with pytest.raises(Unavailable):
            await own_database.migrate()
        own_server.start()
        await own_database.ping()
        await save(own_database.begin, a_user())
        assert await users(own_database.begin) == 1

    async def test_opening_does_not_need_it(self, own_server: Postgresql) -> None:
        url = own_server.new_database()
        own_server.stop()
        async with connect(url) as database:
            with pytest.raises(Unavailable):
                await database.ping()
            own_server.start()
            await database.migrate()
            await database.ping()

    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
    async def test_a_restart_costs_those_inside_their_transaction_and_nobody_else(
        self, own_server: Postgresql, own_database: PostgresqlDatabase, how: signal.Signals
    ) -> None:
        await asyncio.gather(*(users(own_database.begin) for _ in range(9)))  # fills the pool

        async def add_two() -> None:
            async with own_database.begin() as tx:
                await tx.users.add(a_user())
                own_server.restart(how)
                await tx.users.add(a_user())

        with pytest.raises(Unavailable):
            await add_two()
        assert await asyncio.gather(*(users(own_database.begin) for _ in range(9))) == [0] * 9

    async def test_a_commit_that_is_cut_is_unavailable(
        self, own_server: Postgresql, own_database: PostgresqlDatabase
    ) -> None:
        unit = own_database.begin()

        async def add() -> None:
            async with unit as tx:
                await tx.users.add(a_user())
                own_server.restart()
                await tx.commit()

        with pytest.raises(Unavailable):
            await add()
        assert unit.may_be_saved  # for all that this side can know
        assert await users(own_database.begin) == 0

    async def test_a_server_that_hangs_is_not_waited_for(
        self, own_server: Postgresql, own_database: PostgresqlDatabase
    ) -> None:
        await save(own_database.begin, a_user())
        with hanging(own_server):
            for _ in range(2):
                with pytest.raises(Unavailable):
                    async with asyncio.timeout(2 * ANSWER):
                        await users(own_database.begin)
        assert await users(own_database.begin) == 1

    async def test_a_server_that_is_gone_without_a_word_is_noticed(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While it answers: sooner than the statement's own limit."""
        async with with_options(url, monkeypatch, wait="1") as database:
            async with database.begin() as tx:
                await tx.users.all()
                (line,) = lines_to(make_url(url).port)
                deafen(line)
                with pytest.raises(Unavailable):
                    async with asyncio.timeout(2 * ANSWER):
                        await tx.users.all()
            assert await users(database.begin) == 0


def lines_to(port: int | None) -> list[socket.socket]:
    """The sockets of this process that are connected to that port of this machine."""
    loop: Any = asyncio.get_running_loop()
    transports = [each for each in loop._transports.values() if each.get_extra_info("peername")]
    return [
        each.get_extra_info("socket")
        for each in transports
        if each.get_extra_info("peername")[1] == port
    ]


def deafen(line: socket.socket) -> None:
    """From now on the kernel drops every packet that comes for it, before anything sees it: as a
    cable that is cut."""
    drop = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0 bytes
    program = struct.pack("HL", 1, ctypes.addressof(drop))
    line.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


@contextmanager
def hanging(server: Postgresql) -> Iterator[None]:
    """While inside, it takes connections and bytes, and says nothing."""
    pids = [server.pid, *descendants(server.pid)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


class TestLimits:
    async def test_a_pool_that_is_exhausted_says_so_in_time(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with (
            with_options(url, monkeypatch, pool_size="2", wait="0.1") as database,
            AsyncExitStack() as stack,
        ):
            for _ in range(2):
                tx = await stack.enter_async_context(database.begin())
                await tx.users.all()
            with pytest.raises(Unavailable, match="in time"):
                await users(database.begin)
            await stack.aclose()
            assert await users(database.begin) == 0

    async def test_the_default_limits_keep_the_promise(self) -> None:
        options = engine.options()
        assert max(options.wait, options.lock_timeout) < ANSWER

    async def test_a_hundred_on_five_connections_are_all_served(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with with_options(url, monkeypatch, pool_size="5", wait="60") as database:
            await asyncio.gather(*(save(database.begin, a_user()) for _ in range(100)))
            assert await users(database.begin) == 100

    async def test_a_row_that_stays_locked_is_unavailable(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = a_user()
        async with with_options(url, monkeypatch, lock_timeout="0.05") as database:
            await save(database.begin, user)
            async with database.begin() as tx:
                await tx.users.lock(user.id)
                with pytest.raises(Unavailable, match="lock timeout"):
                    async with database.begin() as other:
                        await other.users.lock(user.id)

    async def test_a_statement_that_takes_too_long_is_unavailable(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with with_options(url, monkeypatch, statement_timeout="0.05") as database:
            with pytest.raises(Unavailable, match="statement timeout"), sql_errors("it"):
                async with database.begin() as tx:
                    await tx._transaction.fetch(text("SELECT pg_sleep(60)"), {})
            assert await users(database.begin) == 0

    async def test_who_does_nothing_in_a_transaction_loses_it(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = a_user()

        async def idle(begin: Begin) -> None:
            async with begin() as tx:
                await tx.users.lock(user.id)
                async with begin() as other:
                    await other.users.lock(user.id)  # as soon as the server has ended the first
                await tx.users.all()

        options = {"idle_timeout": "0.05", "lock_timeout": "60"}
        async with with_options(url, monkeypatch, **options) as database:
            await save(database.begin, user)
            with pytest.raises(Unavailable):
                await idle(database.begin)

    async def test_a_deadlock_is_unavailable_for_one_of_the_two(
        self, url: str, database: PostgresqlDatabase
    ) -> None:
        first, second = a_user(), a_user()
        await save(database.begin, first, second)
        ended: list[str] = []
        both = asyncio.Barrier(2)

        async def lock(*ids: object) -> None:
            try:
                async with database.begin() as tx:
                    await tx.users.lock(ids[0])  # type: ignore[arg-type]
                    await both.wait()
                    await tx.users.lock(ids[1])  # type: ignore[arg-type]
                ended.append("locked")
            except Unavailable as error:
                ended.append("deadlock" if "deadlock" in str(error) else str(error))

        await asyncio.gather(lock(first.id, second.id), lock(second.id, first.id))
        assert sorted(ended) == ["deadlock", "locked"]


class TestRefusals:
    async def test_what_failed_inside_is_not_committed_silently(
        self, database: PostgresqlDatabase
    ) -> None:
        user = a_user()
        async with database.begin() as tx:
            await tx.users.add(user)
            with pytest.raises(AlreadyExists):
                await tx.users.add(user)
            with pytest.raises(Unavailable, match="nothing"):
                await tx.commit()
        assert await users(database.begin) == 0

    async def test_a_standby_is_unavailable_to_writers(self, server: Postgresql, url: str) -> None:
        name = url.rsplit("/", 1)[1]
        server.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        async with connect(url) as database:
            assert await users(database.begin) == 0
            with pytest.raises(Unavailable, match="read-only"):
                await save(database.begin, a_user())

    @pytest.mark.parametrize("wrong", ["nothing_of_this_name", "postgres"])
    async def test_a_database_that_is_not_there_or_empty_is_told_by_ping(
        self, server: Postgresql, wrong: str
    ) -> None:
        async with connect(server.url(wrong)) as database:
            with pytest.raises(Unavailable):
                await database.ping()

    async def test_a_wrong_password_is_told_without_it(self, server: Postgresql) -> None:
        server.sql("CREATE ROLE stranger NOLOGIN PASSWORD 'right'")
        url = server.url().replace("docstore@", "stranger:not-so-secret@")
        async with connect(url) as database:
            with pytest.raises(DocstoreError) as refused:
                await users(database.begin)
        assert isinstance(refused.value, Unavailable)
        assert "not-so-secret" not in str(refused.value)

    async def test_too_many_clients_are_unavailable(self) -> None:
        async def take(begin: Begin, connections: int) -> None:
            async with AsyncExitStack() as stack:
                for _ in range(connections):
                    tx = await stack.enter_async_context(begin())
                    await tx.now()

        with postgresql(max_connections="3", superuser_reserved_connections="0") as small:
            async with connect(small.url()) as database:
                with pytest.raises(Unavailable, match="too many"):
                    await take(database.begin, 4)
                await take(database.begin, 3)


async def test_without_durability_no_commit_waits_for_the_disk(url: str) -> None:
    for durable, expected in ((True, "on"), (False, "off")):
        async with connect(url, durable=durable) as database, database._writers.connect() as db:
            said = (await db.execute(text("SHOW synchronous_commit"))).scalar_one()
            assert said == expected
