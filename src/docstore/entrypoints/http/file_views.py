"""What clients see of a file. A field here is a public promise."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field, WithJsonSchema

from docstore.application.reading import Detail
from docstore.domain.file import File
from docstore.domain.ids import FileId
from docstore.domain.job import Job
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.entrypoints.http.file_schema import A_FILE, EXTRACTED
from docstore.entrypoints.http.highlights import highlight
from docstore.entrypoints.http.views import PageView, View


def file_href(file_id: FileId, prefix: str) -> str:
    """Where a file is."""
    return f"{prefix}/files/{file_id}"


def file_etag(file: File) -> str:
    """Changes with every change by the user and by processing."""
    return f'"{file.version}"'


class NoticeView(View):
    """Something to know of a file that is processed all the same."""

    code: str = Field(examples=["truncated"])
    message: str


class FailureView(View):
    """Why a file could not be processed."""

    code: str = Field(examples=["corrupt"])
    message: str
    retryable: bool


class RenditionView(View):
    """A picture made from a file."""

    name: str = Field(examples=["thumbnail"])
    media_type: str
    width: int
    height: int
    size: int
    href: str


class LinksView(View):
    own: str = Field(serialization_alias="self")
    content: str


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

    @classmethod
    def of(cls, job: Job, max_attempts: int) -> Self:
        return cls(
            id=job.id,
            file_id=job.file_id,
            type=job.job_type,
            status=job.status,
            attempts=job.attempts,
            max_attempts=max_attempts,
            error_message=job.failure.message if job.failure else None,
            queued_at=job.queued_at,
            next_attempt_at=job.due_at if job.status is JobStatus.QUEUED else None,
            started_at=job.started_at,
            completed_at=job.completed_at,
        )


class FileView(View):
    """A file, without its jobs."""

    model_config = ConfigDict(json_schema_extra={"examples": [A_FILE]})

    id: UUID
    owner_id: UUID
    filename: str
    title: str | None
    description: str | None
    tags: list[str]
    metadata: dict[str, Any]
    size: int
    sha256: str
    media_type: str
    declared_media_type: str
    key: str
    status: FileStatus
    uploaded_at: datetime
    updated_at: datetime
    processed_at: datetime | None
    extracted: Annotated[dict[str, Any] | None, WithJsonSchema(EXTRACTED)]
    warnings: list[NoticeView]
    error: FailureView | None
    renditions: list[RenditionView]
    links: LinksView

    @classmethod
    def of(cls, file: File, prefix: str) -> Self:
        return cls(**_fields(file, prefix))


class FileDetail(FileView):
    """A file with its jobs, newest first."""

    jobs: list[JobView]

    @classmethod
    def detailed(cls, detail: Detail, prefix: str, max_attempts: int) -> Self:
        jobs = [JobView.of(job, max_attempts) for job in detail.jobs]
        return cls(**_fields(detail.file, prefix), jobs=jobs)


def _fields(file: File, prefix: str) -> dict[str, Any]:
    href = file_href(file.id, prefix)
    return {
        "id": file.id,
        "owner_id": file.user_id,
        "filename": file.original_filename,
        "title": file.details.title,
        "description": file.details.description,
        "tags": file.details.tags,
        "metadata": file.details.metadata,
        "size": file.size,
        "sha256": file.sha256,
        "media_type": file.media_type,
        "declared_media_type": file.declared_media_type,
        "key": file.key,
        "status": file.status,
        "uploaded_at": file.uploaded_at,
        "updated_at": file.updated_at,
        "processed_at": file.processed_at,
        "extracted": file.extracted,
        "warnings": [NoticeView.model_validate(notice) for notice in file.warnings],
        "error": FailureView.model_validate(file.failure) if file.failure else None,
        "renditions": [
            RenditionView(
                name=r.name,
                media_type=r.media_type,
                width=r.width,
                height=r.height,
                size=r.size,
                href=f"{href}/renditions/{r.name}",
            )
            for r in file.renditions
        ],
        "links": LinksView(own=href, content=f"{href}/content"),
    }


class FileViews(View):
    """The files of one upload, in the order sent."""

    items: list[FileView]


class FoundFile(FileView):
    """A file in a listing; after a search with the reason why it is there."""

    highlight: str = Field(
        "",
        description="With q alone: HTML, all escaped but <mark> around the words.",
        examples=["My <mark>rés</mark>umé"],
    )

    @classmethod
    def found(cls, file: File, prefix: str, words: Sequence[str]) -> Self:
        """Without `words` it has no highlight, not an empty one."""
        why: dict[str, Any] = {"highlight": highlight(file, words)} if words else {}
        return cls(**_fields(file, prefix), **why)


class FilePage(PageView):
    """A stretch of a listing of files."""

    items: list[FoundFile]


class JobPage(PageView):
    """A stretch of a listing of jobs, newest first."""

    items: list[JobView]
