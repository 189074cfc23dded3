"""The first tables: users, files, jobs."""

import sqlalchemy as sa
from alembic import op

from docstore.adapters.persistence.sql.migrations.operations import create_partial_index, text

revision: str = "0001"
down_revision: str | None = None


def upgrade() -> None:
    _create_users()
    _create_files()
    _create_jobs()


def downgrade() -> None:
    op.drop_table("jobs")
    op.drop_table("files")
    op.drop_table("users")


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", text(254)),
        sa.Column("external_id", text()),
        sa.Column("password_hash", text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True)),
        sa.Column("token_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        sa.UniqueConstraint("external_id", name="uq_users_external_id"),
        sa.CheckConstraint(
            "email IS NOT NULL OR external_id IS NOT NULL",
            name=op.f("ck_users_known_by_something"),
        ),
        sa.CheckConstraint("token_version >= 1 AND version >= 1", name=op.f("ck_users_at_least_1")),
    )


def _create_files() -> None:
    op.create_table(
        "files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("original_filename", text(255), nullable=False),
        sa.Column("storage_path", text(512), nullable=False),
        sa.Column("key", text(255), nullable=False),
        sa.Column("title", text()),
        sa.Column("description", text()),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", text(64), nullable=False),
        sa.Column("media_type", text(255), nullable=False),
        sa.Column("declared_media_type", text(255), nullable=False),
        sa.Column("status", text(16), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("extracted_data", sa.JSON()),
        sa.Column("text_key", text(512)),
        sa.Column("renditions", sa.JSON(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("error_code", text(64)),
        sa.Column("error_message", text()),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_files"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_files_user_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("key", name="uq_files_key"),
        *_checks_of_files(),
    )
    op.create_index("ix_files_listing", "files", ["user_id", "uploaded_at", "id"])
    create_partial_index(
        "ix_files_unfinished", "files", ["id"], "status IN ('uploaded', 'processing')"
    )


def _checks_of_files() -> tuple[sa.CheckConstraint, ...]:
    return (
        sa.CheckConstraint(
            "status IN ('uploaded', 'processing', 'processed', 'failed')",
            name=op.f("ck_files_status"),
        ),
        sa.CheckConstraint("generation >= 1 AND version >= 1", name=op.f("ck_files_at_least_1")),
        sa.CheckConstraint("size >= 0", name=op.f("ck_files_at_least_0")),
        sa.CheckConstraint(
            "(status = 'failed') = (error_code IS NOT NULL)"
            " AND (error_code IS NULL) = (error_message IS NULL)",
            name=op.f("ck_files_error_while_failed"),
        ),
    )


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid()),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("job_type", text(16), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("status", text(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("crash_attempts", sa.Integer(), nullable=False),
        sa.Column("releases", sa.Integer(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True)),
        sa.Column("lease_token", sa.Uuid()),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True)),
        sa.Column("worker", text()),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("error_code", text(64)),
        sa.Column("error_message", text()),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], name="fk_jobs_file_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "file_id", "job_type", "generation", name="uq_jobs_file_id_job_type_generation"
        ),
        *_checks_of_jobs(),
    )
    create_partial_index("ix_jobs_queued", "jobs", ["due_at"], "status IN ('queued')")
    create_partial_index("ix_jobs_leased", "jobs", ["lease_until"], "status IN ('processing')")
    create_partial_index(
        "ix_jobs_purged",
        "jobs",
        ["completed_at"],
        "job_type IN ('purge') AND status IN ('completed')",
    )


def _checks_of_jobs() -> tuple[sa.CheckConstraint, ...]:
    return (
        sa.CheckConstraint("job_type IN ('process', 'purge')", name=op.f("ck_jobs_job_type")),
        sa.CheckConstraint(
            "status IN ('queued', 'processing', 'completed', 'failed')",
            name=op.f("ck_jobs_status"),
        ),
        sa.CheckConstraint("generation >= 1 AND version >= 1", name=op.f("ck_jobs_at_least_1")),
        sa.CheckConstraint(
            "attempts >= 0 AND crash_attempts >= 0 AND releases >= 0",
            name=op.f("ck_jobs_at_least_0"),
        ),
        sa.CheckConstraint(
            "file_id IS NOT NULL OR job_type = 'purge'", name=op.f("ck_jobs_file_unless_purge")
        ),
        sa.CheckConstraint(
            "(status = 'processing') = (lease_token IS NOT NULL)"
            " AND (status = 'processing') = (lease_until IS NOT NULL)",
            name=op.f("ck_jobs_lease_while_processing"),
        ),
        sa.CheckConstraint(
            "(error_code IS NULL) = (error_message IS NULL)", name=op.f("ck_jobs_whole_error")
        ),
    )
