"""Plays a plan: `python loadgen.py < plan.json`. A process of its own, so that its CPU is known
and its garbage collector is off."""

import gc
import os
import resource
import sys
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from random import Random
from selectors import EVENT_READ, BaseSelector, DefaultSelector
from time import perf_counter
from typing import Final

from plan import LONGEST_SILENCE, Plan, Played
from wire import ROOM, Broken, Connection, Wait

MARK: Final = 16  # bytes at the front of a random body that no other request has


class Requests:
    """The bytes of each request."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._random = Random(1)
        self._filler = b"" if plan.source else Random(2).randbytes(max(0, plan.size - MARK))
        self._tail = "".join(f"{line}\r\n" for line in self._constant_lines())

    def opening(self, number: int) -> bytes:
        """The head, the front of a form, and the body too unless it comes from a file."""
        plan = self._plan
        path = plan.paths[number % len(plan.paths)].replace("{n}", str(number))
        head = f"{plan.method} {path} HTTP/1.1\r\n{self._range()}{self._tail}\r\n{plan.before}"
        return head.encode("latin-1") + self._body(number)

    def _constant_lines(self) -> Iterator[str]:
        plan = self._plan
        yield f"Host: {plan.host}:{plan.port}"
        yield from plan.headers
        if plan.method != "GET":
            yield f"Content-Length: {len(plan.before) + plan.size + len(plan.after)}"

    def _range(self) -> str:
        plan = self._plan
        if not plan.range_length:
            return ""
        start = self._random.randrange(plan.range_of - plan.range_length + 1)
        return f"Range: bytes={start}-{start + plan.range_length - 1}\r\n"

    def _body(self, number: int) -> bytes:
        plan = self._plan
        if plan.source or not plan.size:
            return b""
        mark = b"%0*x" % (MARK, number)
        return mark[: plan.size] + self._filler + plan.after.encode("latin-1")


class Player:
    """All connections of one plan."""

    def __init__(self, plan: Plan, selector: BaseSelector, source: int) -> None:
        self.plan = plan
        self._requests = Requests(plan)
        self._selector = selector
        self._source = source
        self._numbers = count()
        self.latencies = array("d")
        self.errors: Counter[str] = Counter()
        self.locations: list[str] = []

    def play(self, connections: list[Connection]) -> None:
        self._until = perf_counter() + (self.plan.seconds or 1e9)
        for connection in connections:
            self._begin(connection)
        while self._selector.get_map():
            events = self._selector.select(LONGEST_SILENCE)
            if not events:
                raise SystemExit("the server is silent")
            for key, _ in events:
                self._step(key.data, key.events)

    def _begin(self, connection: Connection) -> None:
        life = self._life(connection)
        self._selector.register(connection.socket, EVENT_READ, (connection, life))
        self._step((connection, life), EVENT_READ)

    def _step(self, who: tuple[Connection, Wait], waited_for: int) -> None:
        connection, life = who
        try:
            event = next(life)
        except StopIteration:
            self._selector.unregister(connection.socket)
            connection.close()
        except (Broken, OSError) as error:
            self.errors[f"{type(error).__name__}: {error}"] += 1
            self._selector.unregister(connection.socket)
            self._renew(connection)
        else:
            if event != waited_for:
                self._selector.modify(connection.socket, event, who)

    def _renew(self, connection: Connection) -> None:
        connection.close()
        if sum(self.errors.values()) < 100:
            connection.connect()
            self._begin(connection)

    def _life(self, connection: Connection) -> Wait:
        while (number := self._next()) is not None:
            began = perf_counter()
            yield from self._send(connection, number)
            yield from connection.receive()
            self._note(connection, perf_counter() - began)
            if not connection.is_open:
                raise Broken("the server closed the connection after an answer")

    def _next(self) -> int | None:
        if perf_counter() >= self._until:
            return None
        number = next(self._numbers)
        return None if self.plan.requests and number >= self.plan.requests else number

    def _send(self, connection: Connection, number: int) -> Wait:
        yield from connection.send(self._requests.opening(number))
        if self.plan.source:
            yield from connection.send_file(self._source, self.plan.size)
            yield from connection.send(self.plan.after.encode("latin-1"))

    def _note(self, connection: Connection, seconds: float) -> None:
        if connection.status >= 300:
            self.errors[str(connection.status)] += 1
            return
        self.latencies.append(seconds * 1000)
        if self.plan.keep_locations and connection.location:
            self.locations.append(connection.location)


def play(plan: Plan) -> Played:
    with ExitStack() as stack:
        source = stack.enter_context(_opened(plan.source))
        player = Player(plan, stack.enter_context(DefaultSelector()), source)
        room = memoryview(bytearray(ROOM))
        address = (plan.host, plan.port)
        connections = [Connection(address, room) for _ in range(plan.connections)]
        began, cpu = perf_counter(), _cpu()
        player.play(connections)
        seconds, cpu = perf_counter() - began, _cpu() - cpu
    times = sorted(player.latencies) or [0.0]
    return Played(
        requests=len(player.latencies),
        errors=dict(player.errors),
        seconds=seconds,
        sent=len(player.latencies) * plan.size,
        received=sum(connection.received for connection in connections),
        p50=times[len(times) // 2],
        p99=times[len(times) * 99 // 100],
        cpu=cpu,
        locations=player.locations,
    )


@contextmanager
def _opened(source: str | None) -> Iterator[int]:
    if source is None:
        yield -1
        return
    descriptor = os.open(source, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    gc.disable()
    sys.stdout.write(play(Plan.loaded(sys.stdin.read())).dumped())
