"""What listings of files and jobs are filtered and sorted by."""

import unicodedata

import sqlalchemy as sa
from alembic import op

from docstore.adapters.persistence.sql.migrations.operations import (
    create_partial_index,
    is_postgresql,
)

revision: str = "0003"
down_revision: str | None = "0002"

_FILES = sa.table(
    "files",
    sa.column("id", sa.Uuid()),
    sa.column("original_filename", sa.String()),
    sa.column("title", sa.Text()),
    sa.column("description", sa.Text()),
    sa.column("tags", sa.JSON()),
    sa.column("search_text", sa.Text()),
)
_BATCH = 1000  # rows


def upgrade() -> None:
    # Not by building the table anew: that would lose the triggers on it.
    order = 'COLLATE "C" ' if is_postgresql() else ""
    op.execute(f"ALTER TABLE files ADD COLUMN search_text TEXT {order}DEFAULT '' NOT NULL")
    _fill()
    op.create_index("ix_files_by_name", "files", ["user_id", "original_filename", "id"])
    op.create_index("ix_files_by_size", "files", ["user_id", "size", "id"])
    create_partial_index(
        "ix_files_unprocessed",
        "files",
        ["user_id", "status", "uploaded_at", "id"],
        "status IN ('uploaded', 'processing', 'failed')",
    )
    listing = ["user_id", "queued_at", "id"]
    create_partial_index("ix_jobs_listing", "jobs", listing, "file_id IS NOT NULL")
    create_partial_index(
        "ix_jobs_failed", "jobs", listing, "file_id IS NOT NULL AND status IN ('failed')"
    )


def downgrade() -> None:
    for name in ("ix_jobs_failed", "ix_jobs_listing"):
        op.drop_index(name, "jobs")
    for name in ("ix_files_unprocessed", "ix_files_by_size", "ix_files_by_name"):
        op.drop_index(name, "files")
    op.execute("ALTER TABLE files DROP COLUMN search_text")


def _fill() -> None:
    db = op.get_bind()
    change = (
        sa.update(_FILES)
        .where(_FILES.c.id == sa.bindparam("row"))
        .values(search_text=sa.bindparam("text"))
    )
    batch = sa.select(_FILES).order_by(_FILES.c.id).limit(_BATCH)
    rows = db.execute(batch).all()
    while rows:
        db.execute(change, [{"row": row.id, "text": _searchable(row)} for row in rows])
        rows = db.execute(batch.where(_FILES.c.id > rows[-1].id)).all()


def _searchable(row: sa.Row[tuple[object, ...]]) -> str:
    texts = (row.original_filename, row.title, row.description, *row.tags)
    return unicodedata.normalize("NFC", "\n".join(text for text in texts if text)).casefold()
