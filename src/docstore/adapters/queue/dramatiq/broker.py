"""Dramatiq's broker on Redis, less all that a hint does not need."""

from typing import Final

import redis
from dramatiq.broker import Consumer
from dramatiq.brokers.redis import RedisBroker

from docstore.adapters.outage import Outage
from docstore.adapters.queue.dramatiq.consumer import HintConsumer
from docstore.adapters.queue.dramatiq.hints import QUEUE
from docstore.adapters.queue.dramatiq.intake import Intake

DEAD_AFTER: Final = 60_000  # milliseconds without a command from a worker
MAINTENANCE: Final = 50_000  # of a million commands: one in 20 looks for dead workers


class HintBroker(RedisBroker):
    """No middleware, so no retries, limits or results: the job's row and its lease decide. No
    queue of delayed messages either, which would be polled as often as the other.
    """

    def __init__(self, client: redis.Redis, prefix: str, intake: Intake, outage: Outage) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            client=client,
            middleware=[],
            namespace=prefix,
            heartbeat_timeout=DEAD_AFTER,
            maintenance_chance=MAINTENANCE,
        )
        self._intake = intake
        self._outage = outage

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 0) -> Consumer:
        read = super().consume(queue_name, prefetch=1, timeout=0)
        return HintConsumer(self, read, self._intake, self._outage)

    def get_declared_delay_queues(self) -> set[str]:
        return set()

    def touch(self) -> None:
        """A sign of life. It writes, so that a server that is full does not pass for well."""
        self.do_qsize(QUEUE)

    def pending(self) -> int:
        """Hints that nobody has taken yet."""
        return int(self.client.llen(f"{self.namespace}:{QUEUE}"))
