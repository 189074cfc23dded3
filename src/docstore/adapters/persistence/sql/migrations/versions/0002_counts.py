"""How many files an owner has in each status, counted as they come and go."""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"

_TRIGGERS = {
    "files_counted_in": """
        AFTER INSERT ON files BEGIN
            INSERT INTO file_counts (user_id, status, total) VALUES (NEW.user_id, NEW.status, 1)
            ON CONFLICT (user_id, status) DO UPDATE SET total = total + 1;
        END""",
    "files_counted_out": """
        AFTER DELETE ON files BEGIN
            UPDATE file_counts SET total = total - 1
            WHERE user_id = OLD.user_id AND status = OLD.status;
        END""",
    "files_counted_over": """
        AFTER UPDATE OF user_id, status ON files
        WHEN OLD.status != NEW.status OR OLD.user_id != NEW.user_id BEGIN
            UPDATE file_counts SET total = total - 1
            WHERE user_id = OLD.user_id AND status = OLD.status;
            INSERT INTO file_counts (user_id, status, total) VALUES (NEW.user_id, NEW.status, 1)
            ON CONFLICT (user_id, status) DO UPDATE SET total = total + 1;
        END""",
}


def upgrade() -> None:
    op.create_table(
        "file_counts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "status", name="pk_file_counts"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_file_counts_user_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "status IN ('uploaded', 'processing', 'processed', 'failed')",
            name=op.f("ck_file_counts_status"),
        ),
        sa.CheckConstraint("total >= 0", name=op.f("ck_file_counts_at_least_0")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO file_counts (user_id, status, total)"
        " SELECT user_id, status, count(*) FROM files GROUP BY user_id, status"
    )
    for name, what in _TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {what}")


def downgrade() -> None:
    for name in _TRIGGERS:
        op.execute(f"DROP TRIGGER {name}")
    op.drop_table("file_counts")
