"""Purges that failed are forgotten like those that did not: the sweeper takes what they left."""

from alembic import op

from docstore.adapters.persistence.sql.migrations.operations import create_partial_index

revision: str = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    _index("status IN ('completed', 'failed')")


def downgrade() -> None:
    _index("status IN ('completed')")


def _index(ended: str) -> None:
    op.drop_index("ix_jobs_purged", "jobs")
    create_partial_index(
        "ix_jobs_purged", "jobs", ["completed_at"], f"job_type IN ('purge') AND {ended}"
    )
