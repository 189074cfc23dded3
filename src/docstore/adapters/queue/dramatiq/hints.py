"""What a hint is, to Dramatiq."""

from typing import Any, Final
from uuid import UUID

from dramatiq.broker import MessageProxy
from dramatiq.message import Message

from docstore.domain.ids import JobId

QUEUE: Final = "jobs"
ACTOR: Final = "attempt"


def hint(job_id: JobId) -> Message[Any]:
    """Whoever consumes it, with whatever middleware, is told not to try it again."""
    return Message(
        queue_name=QUEUE,
        actor_name=ACTOR,
        args=(str(job_id),),
        kwargs={},
        options={"max_retries": 0},
    )


def job_of(message: MessageProxy) -> JobId:
    """The job that a hint is about; an error of any kind when it is none of ours."""
    if (message.queue_name, message.actor_name) != (QUEUE, ACTOR):
        raise ValueError(f"it is for {message.actor_name!r} in {message.queue_name!r}")
    (job_id,) = message.args
    return JobId(UUID(job_id))
