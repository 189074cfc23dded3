"""What clients see of a file. A field here is a public promise.

The models say it, for the OpenAPI document; the functions make it, as plain values. A test holds
the two together. Making a model and writing it took a fifth of the time of a list.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, WithJsonSchema

from docstore.application.reading import Detail
from docstore.domain.failure import Failure
from docstore.domain.file import File
from docstore.domain.ids import FileId
from docstore.domain.lifecycle import FileStatus
from docstore.entrypoints.http.file_schema import A_FILE, EXTRACTED
from docstore.entrypoints.http.highlights import highlight
from docstore.entrypoints.http.job_views import JobView, job_fields
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


class FileDetail(FileView):
    """A file with its jobs, newest first."""

    jobs: list[JobView]


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


class FilePage(PageView):
    """A stretch of a listing of files."""

    items: list[FoundFile]


def file_fields(file: File, prefix: str) -> dict[str, Any]:
    """The fields of a FileView."""
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
        "warnings": [{"code": each.code, "message": each.message} for each in file.warnings],
        "error": _failure_fields(file.failure) if file.failure else None,
        "renditions": [
            {
                "name": each.name,
                "media_type": each.media_type,
                "width": each.width,
                "height": each.height,
                "size": each.size,
                "href": f"{href}/renditions/{each.name}",
            }
            for each in file.renditions
        ],
        "links": {"self": href, "content": f"{href}/content"},
    }


def detail_fields(detail: Detail, prefix: str, max_attempts: int) -> Mapping[str, Any]:
    """The fields of a FileDetail."""
    fields = file_fields(detail.file, prefix)
    fields["jobs"] = [job_fields(job, max_attempts) for job in detail.jobs]
    return fields


def found_fields(file: File, prefix: str, words: Sequence[str]) -> Mapping[str, Any]:
    """The fields of a FoundFile. Without `words` it has no highlight, not an empty one."""
    fields = file_fields(file, prefix)
    if words:
        fields["highlight"] = highlight(file, words)
    return fields


def _failure_fields(failure: Failure) -> Mapping[str, Any]:
    return {"code": failure.code, "message": failure.message, "retryable": failure.retryable}
