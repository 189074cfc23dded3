"""One schedule: a deployment, its clients and its fate, from the first step to the last promise."""

import asyncio
import gc
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from docstore.application.docstore import Docstore
from docstore.domain.ids import UserId
from docstore.domain.user import User
from simulation import ending, fate, roles
from simulation.assembly import LEASE, RETRY, Ports, ids
from simulation.broker import Broker, WiredQueue
from simulation.bugs import NONE, Bug
from simulation.clients import Client
from simulation.extractor import ByMood, SimulatedExtractor
from simulation.history import History
from simulation.loop import Stuck, simulated_loop
from simulation.observed import ObservedBlobStore
from simulation.plan import Fault, Plan
from simulation.process import Process, current_name, inside, outside
from simulation.promises import Health, Promises
from simulation.requests import ConnectionLost, forward
from simulation.roles import API, WORKER, Role
from simulation.storm import Storm
from simulation.wires import Line, WiredBlobStore, wired_begin

T = TypeVar("T")

START: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one schedule ended."""

    plan: Plan
    breach: str | None  # the first promise that was broken
    trace: Sequence[tuple[float, str, str]]  # (virtual seconds, process, what)
    seen: Counter[str]
    steps: int


class World:
    """Everything that happens in one schedule."""

    def __init__(self, plan: Plan, bug: Bug = NONE) -> None:
        self.plan = plan
        self.loop = simulated_loop(plan.chance("order"))
        self.offset = 0.0  # seconds by which the database's clock is wrong
        self.ahead = 0.0  # the most that it ever was
        self.history = History()
        self.storm = Storm(plan, kill=self.kill)
        self.roles: list[Role] = []
        self.users: list[UserId] = []
        self.database = bug.database(self.now)
        self.blobs = ObservedBlobStore(lambda: START + timedelta(seconds=self.loop.time()))
        self.breach: str | None = None
        self.promises = Promises(
            history=self.history,
            blobs=self.blobs,
            retry=RETRY,
            now=self.now,
            breach=self.broken,
            health=self.health,
            grace=timedelta(seconds=plan.grace),
        )
        self.database.witness = self.blobs.witness = self.promises
        self._build = bug.build
        self._broker = Broker(plan)
        self._new_id = ids(plan.chance("ids"), self.loop.time)
        self._chance = plan.chance("world")
        self.extractor = SimulatedExtractor(
            plan.chance("extractor"), self._parser_crashes, saw=self.promises.runs
        )

    def now(self) -> datetime:
        """The database's time."""
        return START + timedelta(seconds=self.loop.time() + self.offset)

    def broken(self, promise: str, how: str) -> None:
        """The first breach ends the schedule."""
        if self.breach is None:
            self.breach = f"{promise}: {how}"
            self.note(f"BROKEN {self.breach}")
        self.loop.stopped = True

    def note(self, what: str) -> None:
        self.storm.trace.append((self.loop.time(), current_name(), what))

    def run(self) -> Outcome:
        self.storm.begin(self.loop.time)
        with _undisturbed():
            try:
                self.loop.run(self._life())
            except Stuck as error:
                self.broken("liveness", str(error))
            finally:
                for role in self.roles:
                    role.process.is_dead = True
                self.loop.close()
        return Outcome(
            plan=self.plan,
            breach=self.breach,
            trace=self.storm.trace,
            seen=self.promises.seen,
            steps=self.loop.steps,
        )

    async def _life(self) -> None:
        await self._found()
        clients = [
            asyncio.create_task(Client(self, self._chance.choice(self.users), i).run())
            for i in range(self.plan.clients)
        ]
        doom = asyncio.create_task(fate.rule(self))
        watch = asyncio.create_task(self._watch())
        await asyncio.wait(clients, timeout=self.plan.storm)
        doom.cancel()
        self._calm_down()
        await ending.settle(self, clients)
        watch.cancel()
        await ending.judge(self)

    async def _found(self) -> None:
        async with self.database.begin() as tx:
            for _ in range(self._chance.randint(1, 3)):
                user = User(
                    id=UserId(self._new_id()),
                    external_id=str(self._new_id()),
                    created_at=self.now(),
                )
                await tx.users.add(user)
                self.users.append(user.id)
            await tx.commit()
        for kind, number in ((API, self.plan.apis), (WORKER, self.plan.workers)):
            for index in range(number):
                process = Process(f"{kind}-{index}#1")
                self.roles.append(Role(kind, index, process, self.application(process)))
                self._launch(self.roles[-1])

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(5)
            workers = [role for role in self.roles if role.kind is WORKER]
            if not any(role.process.is_up for role in workers):
                self.disturbed()
            self.promises.look(self.loop.time(), self.storm.last_fault)

    def _calm_down(self) -> None:
        """From here on nothing goes wrong any more, and somebody has set the clock."""
        self.note("calm")
        self.storm.is_over = True
        self._broker.is_calm = True
        self.set_clock(self.ahead)  # nothing is due later than this
        for role in self.roles:
            self.loop.revive(role.process)

    def set_clock(self, offset: float) -> None:
        """Make the database's clock wrong by so many seconds."""
        self.offset = offset
        self.ahead = max(self.ahead, offset)
        self.note(f"the clock jumps, now {offset:+.0f} s")
        self.promises.clock_jumped()
        self.disturbed()

    def disturbed(self) -> None:
        """What is late now has an excuse."""
        self.storm.last_fault = self.loop.time()

    def health(self, name: str) -> Health:
        """Of a process: well when neither it nor the database had trouble for over a lease."""
        process = next((r.process for r in self.roles if r.process.name == name), None)
        if process is None or process.is_dead:
            return Health.DEAD
        trouble = max(self.storm.last_fault, process.last_frozen)
        quiet = self.loop.time() - trouble > 1.5 * LEASE.duration.total_seconds()
        return Health.WELL if quiet and not process.is_frozen else Health.TROUBLED

    def _parser_crashes(self) -> float:
        is_bad = Fault.PARSER in self.plan.faults and not self.storm.is_over
        return 0.2 * self.plan.intensity if is_bad else 0.0

    # Processes

    def application(self, process: Process) -> Docstore:
        line = Line(process, self.storm)
        ports = Ports(
            begin=wired_begin(line, self.database.begin),
            blobs=WiredBlobStore(line, self.blobs),
            queue=WiredQueue(line, self._broker),
            extractor=self.extractor,
            sniffer=ByMood(),
            new_id=self._new_id,
            jitter=self._chance.random,
            grace=timedelta(seconds=self.plan.grace),
            name=process.name,
        )
        return self._build(ports)

    def kill(self, process: Process, where: str) -> None:
        """As kill -9 does: no cleanup, no answer; somebody restarts it after a while."""
        self.note(f"{process.name} dies {where}")
        self.promises.seen["a process died"] += 1
        process.is_dead = True
        self.disturbed()
        for answer in process.requests:
            if not answer.done():
                answer.set_exception(ConnectionLost(f"{process.name} died"))
        role = next(role for role in self.roles if role.process is process)
        delay = self._chance.uniform(0.1, 20.0)
        self.loop.call_later(delay, self.replace, role, context=outside())

    def replace(self, role: Role) -> None:
        """A new process in place of one that died or was stopped."""
        role.process.is_dead = True
        role.incarnation += 1
        role.process = Process(f"{role.prefix}{role.incarnation}")
        role.docstore = self.application(role.process)
        role.stop, role.has_stopped = asyncio.Event(), asyncio.Event()
        self.note(f"{role.process.name} starts")
        self._launch(role)

    def _launch(self, role: Role) -> None:
        if role.kind is WORKER:
            settings = roles.worker_settings(
                self._chance.choice([2.0, 5.0]), self._chance.choice([8.0, 12.0]), self.plan.grace
            )
            releases = self._chance.random() < 0.5
            self.spawn(role.process, roles.work(role, settings, releases=releases))

    def spawn(self, process: Process, work: Awaitable[T]) -> "asyncio.Task[T]":
        return self.loop.create_task(work, context=inside(process))

    # Requests

    async def ask(
        self, act: Callable[[Docstore], Awaitable[T]], *, hang_up_after: float | None = None
    ) -> T:
        """Have some API do `act`. Raises ConnectionLost when it dies meanwhile, HungUp."""
        up = [role for role in self.roles if role.kind is API and not role.process.is_dead]
        if not up:
            raise ConnectionLost("nobody listens")
        role = self._chance.choice(up)
        answer: asyncio.Future[T] = self.loop.create_future()
        role.process.requests[answer] = None
        serving = self.spawn(role.process, _as_coroutine(act, role.docstore))
        serving.add_done_callback(partial(forward, answer))
        if hang_up_after is not None:
            self.loop.call_later(hang_up_after, serving.cancel)
        try:
            return await answer
        finally:
            del role.process.requests[answer]


async def _as_coroutine(act: Callable[[Docstore], Awaitable[T]], docstore: Docstore) -> T:
    return await act(docstore)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No logs: warnings are the rule in a storm. No garbage collector: what it closes, it closes
    at a moment that depends on everything that ran before.
    """
    log = logging.getLogger("docstore")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        log.setLevel(level)
        if was_collecting:
            gc.enable()
