"""Entities to rows and back: the only place that knows where their fields differ."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import singledispatch
from typing import Any

from sqlalchemy import Row

from docstore.domain.failure import Failure, FailureCode
from docstore.domain.file import Details, File
from docstore.domain.findings import Notice, Rendition
from docstore.domain.job import Job, JobType
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.user import User


@singledispatch
def to_row(entity: object) -> Mapping[str, Any]:
    """The columns of `entity`, by name."""
    raise NotImplementedError(type(entity))


@to_row.register
def _user_row(user: User) -> Mapping[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "external_id": user.external_id,
        "password_hash": user.password_hash,
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
        "token_version": user.token_version,
        "version": user.version,
    }


@to_row.register
def _file_row(file: File) -> Mapping[str, Any]:
    return {
        "id": file.id,
        "user_id": file.user_id,
        "original_filename": file.original_filename,
        "storage_path": file.storage_path,
        "key": file.key,
        "title": file.details.title,
        "description": file.details.description,
        "tags": list(file.details.tags),
        "metadata": file.details.metadata,
        "size": file.size,
        "sha256": file.sha256,
        "media_type": file.media_type,
        "declared_media_type": file.declared_media_type,
        "status": file.status.value,
        "generation": file.generation,
        "extracted_data": file.extracted,
        "text_key": file.text_key,
        "renditions": [asdict(rendition) for rendition in file.renditions],
        "warnings": [asdict(notice) for notice in file.warnings],
        **_failure_columns(file.failure),
        "uploaded_at": file.uploaded_at,
        "updated_at": file.updated_at,
        "processed_at": file.processed_at,
        "version": file.version,
    }


@to_row.register
def _job_row(job: Job) -> Mapping[str, Any]:
    return {
        "id": job.id,
        "file_id": job.file_id,
        "user_id": job.user_id,
        "job_type": job.job_type.value,
        "generation": job.generation,
        "status": job.status.value,
        "attempts": job.attempts,
        "crash_attempts": job.crash_attempts,
        "releases": job.releases,
        "queued_at": job.queued_at,
        "due_at": job.due_at,
        "dispatched_at": job.dispatched_at,
        "lease_token": job.lease_token,
        "lease_until": job.lease_until,
        "heartbeat_at": job.heartbeat_at,
        "worker": job.worker,
        "started_at": job.started_at,
        "completed_at": job.completed_at,
        **_failure_columns(job.failure),
        "payload": list(job.payload),
        "version": job.version,
    }


def _failure_columns(failure: Failure | None) -> Mapping[str, str | None]:
    if failure is None:
        return {"error_code": None, "error_message": None}
    return {"error_code": failure.code.value, "error_message": failure.message}


def to_user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        email=row.email,
        external_id=row.external_id,
        password_hash=row.password_hash,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        token_version=row.token_version,
        version=row.version,
    )


def to_file(row: Row[Any]) -> File:
    return File(
        id=row.id,
        user_id=row.user_id,
        original_filename=row.original_filename,
        storage_path=row.storage_path,
        key=row.key,
        details=Details(
            title=row.title,
            description=row.description,
            tags=tuple(row.tags),
            metadata=row.metadata,
        ),
        size=row.size,
        sha256=row.sha256,
        media_type=row.media_type,
        declared_media_type=row.declared_media_type,
        status=FileStatus(row.status),
        generation=row.generation,
        extracted=row.extracted_data,
        text_key=row.text_key,
        renditions=tuple(Rendition(**rendition) for rendition in row.renditions),
        warnings=tuple(Notice(**notice) for notice in row.warnings),
        failure=_to_failure(row),
        uploaded_at=row.uploaded_at,
        updated_at=row.updated_at,
        processed_at=row.processed_at,
        version=row.version,
    )


def to_job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        file_id=row.file_id,
        user_id=row.user_id,
        job_type=JobType(row.job_type),
        generation=row.generation,
        status=JobStatus(row.status),
        attempts=row.attempts,
        crash_attempts=row.crash_attempts,
        releases=row.releases,
        queued_at=row.queued_at,
        due_at=row.due_at,
        dispatched_at=row.dispatched_at,
        lease_token=row.lease_token,
        lease_until=row.lease_until,
        heartbeat_at=row.heartbeat_at,
        worker=row.worker,
        started_at=row.started_at,
        completed_at=row.completed_at,
        failure=_to_failure(row),
        payload=tuple(row.payload),
        version=row.version,
    )


def _to_failure(row: Row[Any]) -> Failure | None:
    return row.error_code and Failure(FailureCode(row.error_code), row.error_message)
