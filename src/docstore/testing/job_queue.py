"""The contract of `JobQueue`, for every adapter: ours and yours."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import anyio
import pytest

from docstore.application.ports.job_queue import JobQueue
from docstore.domain.ids import JobId


@pytest.mark.anyio
class JobQueueContract:
    """Override the `queue` fixture with an empty queue; every test here must pass.

    The port allows that hints are lost or doubled: these tests expect no loss while nothing
    fails, and do not mind doubles.
    """

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    async def queue(self) -> JobQueue:
        raise NotImplementedError

    async def test_hints_are_handled(self, queue: JobQueue) -> None:
        seen = _Seen()
        async with queue.consume(seen, slots=2):
            for job_id in jobs(30):
                await queue.send(job_id)
            await seen.all_of(*jobs(30))

    async def test_hints_wait_for_a_consumer(self, queue: JobQueue) -> None:
        for job_id in jobs(3):
            await queue.send(job_id)
        seen = _Seen()
        async with queue.consume(seen, slots=1):
            await seen.all_of(*jobs(3))

    async def test_the_same_hint_may_be_sent_again(self, queue: JobQueue) -> None:
        (job_id,) = jobs(1)
        seen = _Seen()
        async with queue.consume(seen, slots=1):
            await queue.send(job_id)
            await seen.all_of(job_id)
            await queue.send(job_id)
            await seen.times(job_id, 2)

    @pytest.mark.parametrize("slots", [1, 3])
    async def test_all_slots_are_used_and_no_more(self, queue: JobQueue, slots: int) -> None:
        gate = _Gate()
        async with queue.consume(gate, slots=slots):
            for job_id in jobs(2 * slots + 1):
                await queue.send(job_id)
            await gate.inside(slots)
            await anyio.wait_all_tasks_blocked()
            assert gate.now == slots
            gate.open.set()
            await gate.all_of(*jobs(2 * slots + 1))
        assert gate.most == slots

    async def test_an_error_costs_neither_the_slot_nor_the_others(
        self, queue: JobQueue, caplog: pytest.LogCaptureFixture
    ) -> None:
        *bad, good = jobs(4)
        seen = _Seen(
            raises={bad[0]: ZeroDivisionError(), bad[1]: OSError(5, "x"), bad[2]: KeyError()}
        )
        async with queue.consume(seen, slots=1):
            for job_id in (*bad, good):
                await queue.send(job_id)
            await seen.all_of(*bad, good)
        assert all(str(job_id) in caplog.text for job_id in bad), "each is logged"

    async def test_leaving_cancels_what_runs_and_waits_for_its_end(self, queue: JobQueue) -> None:
        gate = _Gate()
        async with queue.consume(gate, slots=2):
            for job_id in jobs(2):
                await queue.send(job_id)
            await gate.inside(2)
        assert gate.ends == ["cancelled", "cancelled"]

    async def test_nothing_is_handled_after_leaving(self, queue: JobQueue) -> None:
        seen = _Seen()
        async with queue.consume(seen, slots=1):
            pass
        await queue.send(jobs(1)[0])
        await anyio.wait_all_tasks_blocked()
        assert not seen.counts

    async def test_an_error_inside_passes_through_as_it_is(self, queue: JobQueue) -> None:
        gate = _Gate()

        async def fail_inside() -> None:
            async with queue.consume(gate, slots=1):
                await queue.send(jobs(1)[0])
                await gate.inside(1)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail_inside()
        assert gate.ends == ["cancelled"]

    async def test_leaving_by_cancellation_waits_as_well(self, queue: JobQueue) -> None:
        gate = _Gate()
        with anyio.CancelScope() as scope:
            async with queue.consume(gate, slots=1):
                await queue.send(jobs(1)[0])
                await gate.inside(1)
                scope.cancel()
                await anyio.sleep_forever()
        assert gate.ends == ["cancelled"]

    async def test_leaving_is_not_cut_short_by_being_cancelled_again(self, queue: JobQueue) -> None:
        gate = _Gate()

        async def consume() -> None:
            async with queue.consume(gate, slots=1):
                await queue.send(jobs(1)[0])
                await anyio.sleep_forever()

        consuming = asyncio.create_task(consume())
        await gate.inside(1)
        while not consuming.done():
            consuming.cancel()  # by asyncio, which knows no shield
            await asyncio.sleep(0)
        assert gate.ends == ["cancelled"]
        with pytest.raises(asyncio.CancelledError):
            await consuming


def jobs(count: int) -> list[JobId]:
    """The same ids for each test that asks for as many."""
    return [JobId(UUID(int=n, version=4)) for n in range(1, count + 1)]


class _Seen:
    """Handles by counting; raises what it is told to."""

    def __init__(self, raises: dict[JobId, Exception] | None = None) -> None:
        self.counts: Counter[JobId] = Counter()
        self._raises = raises or {}
        self._changed = anyio.Condition()

    async def __call__(self, job_id: JobId) -> None:
        async with self._changed:
            self.counts[job_id] += 1
            self._changed.notify_all()
        if job_id in self._raises:
            raise self._raises[job_id]

    async def times(self, job_id: JobId, count: int) -> None:
        async with self._watching():
            while self.counts[job_id] < count:
                await self._changed.wait()

    async def all_of(self, *wanted: JobId) -> None:
        async with self._watching():
            while not self.counts.keys() >= set(wanted):
                await self._changed.wait()

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[None]:
        with anyio.fail_after(10):
            async with self._changed:
                yield


class _Gate(_Seen):
    """Handles by waiting until the gate is open; knows how many are waiting at once."""

    def __init__(self) -> None:
        super().__init__()
        self.open = anyio.Event()
        self.now = self.most = 0
        self.ends: list[str] = []

    async def __call__(self, job_id: JobId) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await super().__call__(job_id)
            await self.open.wait()
            self.ends.append("done")
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.01)  # an end that takes its time is waited for
            self.ends.append("cancelled")
            raise
        finally:
            self.now -= 1

    async def inside(self, count: int) -> None:
        async with self._watching():
            while self.now < count:
                await self._changed.wait()
