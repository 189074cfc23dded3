"""Dramatiq's own worker, inside our process: its threads wait for what the event loop does."""

from typing import Final
from uuid import UUID

import dramatiq
from dramatiq.worker import Worker

from docstore.adapters.queue.dramatiq.bridge import Bridge
from docstore.adapters.queue.dramatiq.broker import HintBroker
from docstore.adapters.queue.dramatiq.consumer import give_back
from docstore.adapters.queue.dramatiq.hints import ACTOR, QUEUE, hint
from docstore.domain.ids import JobId

IDLE: Final = 250  # milliseconds after which an idle thread looks whether it is to end


def worker_of(broker: HintBroker, bridge: Bridge, *, threads: int) -> Worker:
    """Not started. It has one actor, which never raises and returns nothing."""

    def attempt(named: str) -> None:
        job_id = JobId(UUID(named))  # the consumer has seen to it that it is one
        if not bridge.cross(job_id):
            give_back(broker, hint(job_id))

    dramatiq.Actor(
        attempt, broker=broker, actor_name=ACTOR, queue_name=QUEUE, priority=0, options={}
    )
    return Worker(broker, worker_threads=threads, worker_timeout=IDLE)
