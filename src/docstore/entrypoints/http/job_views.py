"""What clients see of the work on a file. A field here is a public promise."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from docstore.domain.failure import FailureCode
from docstore.domain.job import Job
from docstore.domain.lifecycle import JobStatus
from docstore.domain.step import Step, StepState
from docstore.entrypoints.http.views import PageView, View


class StepView(View):
    """What became of one processor's work on a file. Done once, it is not done again, unless by
    another version or by force.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "processor": "text",
                    "version": "2",
                    "state": "done",
                    "started_at": "2026-01-02T03:04:05.678901Z",
                    "ended_at": "2026-01-02T03:04:05.789012Z",
                    "attempt": 1,
                    "error": None,
                    "log": "a text of 1042 characters; facts about document, text",
                }
            ]
        }
    )

    processor: str
    version: str = Field(description="Of the processor.")
    state: StepState
    started_at: datetime | None
    ended_at: datetime | None
    attempt: int = Field(description="Of a job, in which it was begun last; 0: in none yet.")
    error: FailureCode | None = Field(description="Why it failed.")
    log: str = Field(description="In a line, what was found or what was wrong.")


class JobView(View):
    """One run of the processing of a file, with its retries."""

    id: UUID
    file_id: UUID | None
    type: str = Field(examples=["process"])
    status: JobStatus
    attempts: int
    max_attempts: int
    error_message: str | None
    queued_at: datetime
    next_attempt_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    steps: list[StepView] = Field(
        description="In the order in which they run. Planned when the first attempt begins; none "
        "when no processor reads files of that type."
    )


class JobPage(PageView):
    """A stretch of a listing of jobs, newest first."""

    items: list[JobView]


def job_fields(job: Job, max_attempts: int) -> Mapping[str, Any]:
    """The fields of a JobView."""
    return {
        "id": job.id,
        "file_id": job.file_id,
        "type": job.job_type,
        "status": job.status,
        "attempts": job.attempts,
        "max_attempts": max_attempts,
        "error_message": job.failure.message if job.failure else None,
        "queued_at": job.queued_at,
        "next_attempt_at": job.due_at if job.status is JobStatus.QUEUED else None,
        "started_at": job.started_at,
        "completed_at": job.completed_at,
        "steps": [_step_fields(step) for step in job.steps],
    }


def _step_fields(step: Step) -> Mapping[str, Any]:
    return {
        "processor": step.processor,
        "version": step.version,
        "state": step.state,
        "started_at": step.started_at,
        "ended_at": step.ended_at,
        "attempt": step.attempt,
        "error": step.error,
        "log": step.log,
    }
