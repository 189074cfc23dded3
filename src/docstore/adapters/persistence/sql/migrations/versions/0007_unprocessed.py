"""The index of files that are not processed says so in one comparison, which SQLite recognises in a
question; a list of three statuses it did not, and read all of an owner's files instead.
"""

from alembic import op

from docstore.adapters.persistence.sql.migrations.operations import create_partial_index

revision: str = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    _index("status != 'processed'")


def downgrade() -> None:
    _index("status IN ('uploaded', 'processing', 'failed')")


def _index(unprocessed: str) -> None:
    op.drop_index("ix_files_unprocessed", "files")
    listing = ["user_id", "status", "uploaded_at", "id"]
    create_partial_index("ix_files_unprocessed", "files", listing, unprocessed)
