"""Entities to rows and back: the only place that knows where their fields differ."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from docstore.adapters.persistence.sql.steps import from_steps, to_steps
from docstore.domain.failure import Failure, FailureCode
from docstore.domain.file import Details, File
from docstore.domain.findings import Json, Notice, Rendition
from docstore.domain.job import Job, JobType
from docstore.domain.lifecycle import FileStatus, JobStatus
from docstore.domain.searching import searchable
from docstore.domain.user import User


def from_user(user: User) -> Mapping[str, Any]:
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


def from_file(file: File) -> Mapping[str, Any]:
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
        "search_text": searchable(file),
    }


def from_job(job: Job) -> Mapping[str, Any]:
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
        "steps": from_steps(job.steps),
    }


def _failure_columns(failure: Failure | None) -> Mapping[str, str | None]:
    if failure is None:
        return {"error_code": None, "error_message": None}
    return {"error_code": failure.code.value, "error_message": failure.message}


# A row is unpacked in the order of its table's columns: asked by name, each column costs as much as
# reading it from the disk cache did.


def to_user(row: Sequence[Any]) -> User:
    (ident, email, external_id, password_hash, created_at, disabled_at, token_version, version) = (
        row
    )
    return User(
        id=ident,
        email=email,
        external_id=external_id,
        password_hash=password_hash,
        created_at=created_at,
        disabled_at=disabled_at,
        token_version=token_version,
        version=version,
    )


def to_file(row: Sequence[Any]) -> File:
    (
        ident, user_id, original_filename, storage_path, key,
        title, description, tags, metadata,
        size, sha256, media_type, declared_media_type, status, generation,
        extracted, text_key, renditions, warnings, error_code, error_message,
        uploaded_at, updated_at, processed_at, version, _,
    ) = row  # fmt: skip
    return File(
        id=ident,
        user_id=user_id,
        original_filename=original_filename,
        storage_path=storage_path,
        key=key,
        details=_to_details(title, description, tags, metadata),
        size=size,
        sha256=sha256,
        media_type=media_type,
        declared_media_type=declared_media_type,
        status=FileStatus(status),
        generation=generation,
        extracted=extracted,
        text_key=text_key,
        renditions=tuple([Rendition(**rendition) for rendition in renditions]),
        warnings=tuple([Notice(**notice) for notice in warnings]),
        failure=_to_failure(error_code, error_message),
        uploaded_at=uploaded_at,
        updated_at=updated_at,
        processed_at=processed_at,
        version=version,
    )


def to_job(row: Sequence[Any]) -> Job:
    (
        ident, file_id, user_id, job_type, generation, status,
        attempts, crash_attempts, releases, queued_at, due_at, dispatched_at,
        lease_token, lease_until, heartbeat_at, worker, started_at, completed_at,
        error_code, error_message, payload, version, steps,
    ) = row  # fmt: skip
    return Job(
        id=ident,
        file_id=file_id,
        user_id=user_id,
        job_type=JobType(job_type),
        generation=generation,
        status=JobStatus(status),
        attempts=attempts,
        crash_attempts=crash_attempts,
        releases=releases,
        queued_at=queued_at,
        due_at=due_at,
        dispatched_at=dispatched_at,
        lease_token=lease_token,
        lease_until=lease_until,
        heartbeat_at=heartbeat_at,
        worker=worker,
        started_at=started_at,
        completed_at=completed_at,
        failure=_to_failure(error_code, error_message),
        payload=tuple(payload),
        version=version,
        steps=to_steps(steps),
    )


def _to_details(
    title: str | None, description: str | None, tags: list[str], metadata: dict[str, Json]
) -> Details:
    return Details.kept(title, description, tuple(tags), metadata)


def _to_failure(code: str | None, message: str) -> Failure | None:
    return None if code is None else Failure(FailureCode(code), message)
