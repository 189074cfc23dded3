"""Reads hints, one at a time and only for a thread that is free."""

import logging
from collections.abc import Iterable
from typing import Any, Final
from uuid import uuid4

from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerError
from dramatiq.message import Message
from redis.exceptions import RedisError

from docstore.adapters.outage import Outage
from docstore.adapters.queue.dramatiq.hints import hint, job_of
from docstore.adapters.queue.dramatiq.intake import Intake

log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.005  # seconds between looks when there was nothing; then a little longer
LAST_PAUSE: Final = 1.0
PATIENCE: Final = 1.0  # seconds for a slot, before the thread looks whether it is to end


class HintConsumer(Consumer):
    """Never raises, and gives out nothing but hints as we make them: of whatever else Dramatiq
    logs a traceback, waits, and begins anew, or keeps it, and the slot is not given back.

    A hint is acknowledged before it is handled. The job's row knows what became of it, so nothing
    is gained by leaving it with Redis, where it would be given out again by a clock of its own, or
    be lost when Redis is away at the end of a long job.
    """

    def __init__(self, broker: RedisBroker, read: Consumer, intake: Intake, outage: Outage) -> None:
        self._broker = broker
        self._read = read
        self._intake = intake
        self._outage = outage
        self._pause = FIRST_PAUSE

    def __next__(self) -> MessageProxy | None:
        if not self._intake.enter(PATIENCE):
            return None
        message = self._take()
        if message is None:
            self._intake.leave()
            rung = self._intake.rest(self._pause)
            self._pause = FIRST_PAUSE if rung else min(2 * self._pause, LAST_PAUSE)
        else:
            self._pause = FIRST_PAUSE
        return message

    def ack(self, message: MessageProxy) -> None:
        """It was handled."""
        self._intake.leave()

    nack = ack

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """For others, since no thread will handle it here any more."""
        for message in messages:
            give_back(self._broker, message.copy())

    def _take(self) -> MessageProxy | None:
        try:
            message = next(self._read)
            if message is not None:
                self._read.ack(message)
                message = MessageProxy(hint(job_of(message)))
        except (RedisError, BrokerError) as error:
            self._outage.goes_on(error)
            hang_up(self._broker)
            self._become_another()
        except Exception as error:  # there is no end to what others may have written there
            log.warning("what is no hint of ours is dropped: %r", error)
        else:
            self._outage.is_over()
            return message
        return None

    def _become_another(self) -> None:
        """What may have been taken for this consumer, without its knowing, is given to others when
        they see that it is dead."""
        self._broker.broker_id = str(uuid4())


def give_back(broker: RedisBroker, message: Message[Any]) -> None:
    """Into the queue again. If that fails the dispatcher will do it."""
    try:
        broker.enqueue(message)
    except RedisError as error:
        log.info("a hint could not be given back: %s", error)


def hang_up(broker: RedisBroker) -> None:
    """Close the connections that are idle: the next is made to where the server is by then."""
    broker.client.connection_pool.disconnect(inuse_connections=False)
