"""Dramatiq's own worker, inside our process: its threads wait for what the event loop does."""

import logging
from typing import Final

import dramatiq
from dramatiq.worker import Worker

from docstore.adapters.queue.dramatiq.bridge import Bridge
from docstore.adapters.queue.dramatiq.broker import ACTOR, QUEUE, HintBroker, hint, job_of
from docstore.adapters.queue.dramatiq.consumer import give_back

log = logging.getLogger(__name__)

IDLE: Final = 250  # milliseconds after which an idle thread looks whether it is to end


def worker_of(broker: HintBroker, bridge: Bridge, *, threads: int) -> Worker:
    """Not started. It has one actor, which never raises and returns nothing."""

    def attempt(*arguments: object) -> None:
        try:
            job_id = job_of(arguments)
        except ValueError as error:
            log.warning("a hint names no job, and is dropped: %s", error)
            return
        if not bridge.cross(job_id):
            give_back(broker, hint(job_id))

    dramatiq.Actor(
        attempt, broker=broker, actor_name=ACTOR, queue_name=QUEUE, priority=0, options={}
    )
    return Worker(broker, worker_threads=threads, worker_timeout=IDLE)
