"""What becomes of what a handler of hints raises."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from docstore.domain.errors import Unavailable
from docstore.domain.ids import JobId

log = logging.getLogger(__name__)

Handle: TypeAlias = Callable[[JobId], Awaitable[None]]


async def handle_safely(handle: Handle, job_id: JobId) -> None:
    """Call `handle` and log what it raises. What passes is a cancellation of the task alone."""
    try:
        await handle(job_id)
    except asyncio.CancelledError:
        if is_stopping():
            raise
        log.exception("job %s: its handler cancelled itself", job_id)
    except Unavailable as error:  # the hint will be given again
        log.warning("job %s: its handler failed: %s", job_id, error)
    except Exception:
        log.exception("job %s: its handler failed", job_id)


def is_stopping() -> bool:
    """Whether somebody has cancelled the current task."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
