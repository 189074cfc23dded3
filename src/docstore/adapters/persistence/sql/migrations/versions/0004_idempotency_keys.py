"""Requests that may be sent again, and their answers."""

import sqlalchemy as sa
from alembic import op

from docstore.adapters.persistence.sql.migrations.operations import text

revision: str = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key", text(255), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fingerprint", text(64)),
        sa.Column("answer", sa.JSON()),
        sa.PrimaryKeyConstraint("user_id", "key", name="pk_idempotency_keys"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_idempotency_keys_user_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "(fingerprint IS NULL) = (answer IS NULL)",
            name=op.f("ck_idempotency_keys_whole_answer"),
        ),
    )
    op.create_index("ix_idempotency_keys_expiry", "idempotency_keys", ["expires_at"])


def downgrade() -> None:
    op.drop_table("idempotency_keys")
