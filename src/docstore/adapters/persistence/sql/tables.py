"""The tables, as SQLAlchemy Core sees them. Every change here needs a migration beside it."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    literal_column,
)

from docstore.domain.job import JobType
from docstore.domain.lifecycle import FileStatus, JobStatus

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes, kept in UTC to the microsecond. SQLite forgets the zone; it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.replace(tzinfo=UTC)


OptionalJson: Final = JSON(none_as_null=True)


def text(length: int | None = None) -> String:
    """Characters, compared and sorted by their code points, whatever the database's locale: so
    that all databases list alike, and a newer libc spoils no index.
    """
    kind: type[String] = Text if length is None else String
    return kind(length).with_variant(kind(length, collation="C"), "postgresql")


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


def at_least(minimum: int, *columns: str) -> CheckConstraint:
    rule = " AND ".join(f"{column} >= {minimum}" for column in columns)
    return CheckConstraint(rule, name=f"at_least_{minimum}")


def is_in(column: Column[Any], *values: StrEnum) -> ColumnElement[bool]:
    """The values stand in the SQL itself: the planner takes a partial index only when it can see
    that the query asks for the very rows the index has, which a parameter hides.
    """
    return column.in_([literal_column(f"'{value}'") for value in values])


users: Final = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", text(254), unique=True),
    Column("external_id", text(), unique=True),
    Column("password_hash", text()),
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("token_version", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("email IS NOT NULL OR external_id IS NOT NULL", name="known_by_something"),
    at_least(1, "token_version", "version"),
)

files: Final = Table(
    "files",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("original_filename", text(255), nullable=False),
    Column("storage_path", text(512), nullable=False),
    Column("key", text(255), nullable=False, unique=True),
    Column("title", text()),
    Column("description", text()),
    Column("tags", JSON, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", text(64), nullable=False),
    Column("media_type", text(255), nullable=False),
    Column("declared_media_type", text(255), nullable=False),
    Column("status", text(16), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("extracted_data", OptionalJson),
    Column("text_key", text(512)),
    Column("renditions", JSON, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("error_code", text(64)),
    Column("error_message", text()),
    Column("uploaded_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("processed_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    Column("search_text", text(), nullable=False, server_default=""),  # domain.searching.searchable
    one_of("status", FileStatus),
    at_least(1, "generation", "version"),
    at_least(0, "size"),
    CheckConstraint(
        "(status = 'failed') = (error_code IS NOT NULL)"
        " AND (error_code IS NULL) = (error_message IS NULL)",
        name="error_while_failed",
    ),
)

# SQLite takes a partial index only for a question that says the very same: of IN with fewer values
# it cannot tell.
UNPROCESSED: Final = files.c.status != literal_column(f"'{FileStatus.PROCESSED}'")
UNFINISHED: Final = is_in(files.c.status, *(s for s in FileStatus if not s.is_final))

# Read backwards, the first gives an owner's files newest first.
Index("ix_files_listing", files.c.user_id, files.c.uploaded_at, files.c.id)
Index("ix_files_by_name", files.c.user_id, files.c.original_filename, files.c.id)
Index("ix_files_by_size", files.c.user_id, files.c.size, files.c.id)
# Those that are processed are nearly all: to look for them, the listing itself will do.
Index(
    "ix_files_unprocessed",
    files.c.user_id,
    files.c.status,
    files.c.uploaded_at,
    files.c.id,
    sqlite_where=UNPROCESSED,
    postgresql_where=UNPROCESSED,
)
Index("ix_files_unfinished", files.c.id, sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)

# Kept by triggers on `files` (migration 0002): whoever builds that table anew makes them anew.
file_counts: Final = Table(
    "file_counts",
    metadata,
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("status", text(16), primary_key=True),
    Column("total", BigInteger, nullable=False),
    one_of("status", FileStatus),
    at_least(0, "total"),
    sqlite_with_rowid=False,
)

jobs: Final = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("file_id", Uuid, ForeignKey("files.id", ondelete="CASCADE")),
    Column("user_id", Uuid),  # no foreign key: a purge outlives its owner
    Column("job_type", text(16), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("status", text(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("crash_attempts", Integer, nullable=False),
    Column("releases", Integer, nullable=False),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("dispatched_at", UtcDateTime),
    Column("lease_token", Uuid),
    Column("lease_until", UtcDateTime),
    Column("heartbeat_at", UtcDateTime),
    Column("worker", text()),
    Column("started_at", UtcDateTime),
    Column("completed_at", UtcDateTime),
    Column("error_code", text(64)),
    Column("error_message", text()),
    Column("payload", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("steps", JSON, nullable=False, server_default="[]"),
    UniqueConstraint("file_id", "job_type", "generation"),  # also finds the jobs of a file
    one_of("job_type", JobType),
    one_of("status", JobStatus),
    at_least(1, "generation", "version"),
    at_least(0, "attempts", "crash_attempts", "releases"),
    CheckConstraint("file_id IS NOT NULL OR job_type = 'purge'", name="file_unless_purge"),
    CheckConstraint(
        "(status = 'processing') = (lease_token IS NOT NULL)"
        " AND (status = 'processing') = (lease_until IS NOT NULL)",
        name="lease_while_processing",
    ),
    CheckConstraint("(error_code IS NULL) = (error_message IS NULL)", name="whole_error"),
)

OF_FILES: Final = jobs.c.file_id.is_not(None)
FAILED: Final = OF_FILES & is_in(jobs.c.status, JobStatus.FAILED)
QUEUED: Final = is_in(jobs.c.status, JobStatus.QUEUED)
PROCESSING: Final = is_in(jobs.c.status, JobStatus.PROCESSING)
LIVE: Final = is_in(jobs.c.status, *(s for s in JobStatus if s.is_live))
PURGED: Final = is_in(jobs.c.job_type, JobType.PURGE) & is_in(
    jobs.c.status, JobStatus.COMPLETED, JobStatus.FAILED
)

Index(
    "ix_jobs_listing",
    jobs.c.user_id,
    jobs.c.queued_at,
    jobs.c.id,
    sqlite_where=OF_FILES,
    postgresql_where=OF_FILES,
)
Index(
    "ix_jobs_failed",
    jobs.c.user_id,
    jobs.c.queued_at,
    jobs.c.id,
    sqlite_where=FAILED,
    postgresql_where=FAILED,
)
Index("ix_jobs_queued", jobs.c.due_at, sqlite_where=QUEUED, postgresql_where=QUEUED)
Index("ix_jobs_leased", jobs.c.lease_until, sqlite_where=PROCESSING, postgresql_where=PROCESSING)
Index("ix_jobs_purged", jobs.c.completed_at, sqlite_where=PURGED, postgresql_where=PURGED)

idempotency_keys: Final = Table(
    "idempotency_keys",
    metadata,
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("key", text(255), primary_key=True),
    Column("token", Uuid, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("fingerprint", text(64)),
    Column("answer", OptionalJson),
    CheckConstraint("(fingerprint IS NULL) = (answer IS NULL)", name="whole_answer"),
)

Index("ix_idempotency_keys_expiry", idempotency_keys.c.expires_at)
