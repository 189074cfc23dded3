"""How many files an owner has in each status, counted as they come and go."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from docstore.adapters.persistence.sql.migrations.operations import is_postgresql, text

revision: str = "0002"
down_revision: str | None = "0001"

_SQLITE = {
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

# Once for a statement, however many files go with an account. In the order of their keys, for two
# transactions that each wait for a count of the other's would wait for ever.
_FUNCTION = """
    CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        change record;
    BEGIN
        FOR change IN
            SELECT user_id, status, sum(delta) AS delta FROM ({changes}) AS changes
            GROUP BY user_id, status HAVING sum(delta) != 0 ORDER BY user_id, status
        LOOP
            IF change.delta > 0 THEN
                INSERT INTO file_counts AS counted (user_id, status, total)
                VALUES (change.user_id, change.status, change.delta)
                ON CONFLICT (user_id, status) DO UPDATE SET total = counted.total + change.delta;
            ELSE
                UPDATE file_counts SET total = total + change.delta
                WHERE user_id = change.user_id AND status = change.status;
            END IF;
        END LOOP;
        RETURN NULL;
    END $$"""
_COME = "SELECT user_id, status, 1 AS delta FROM come"
_GONE = "SELECT user_id, status, -1 AS delta FROM gone"
_EVENTS = {
    "files_counted_in": ("INSERT", "NEW TABLE AS come", _COME),
    "files_counted_out": ("DELETE", "OLD TABLE AS gone", _GONE),
    "files_counted_over": (
        "UPDATE",
        "OLD TABLE AS gone NEW TABLE AS come",
        f"{_GONE} UNION ALL {_COME}",
    ),
}


def upgrade() -> None:
    op.create_table(
        "file_counts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("status", text(16), nullable=False),
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
    for statement in _triggers():
        op.execute(statement)


def downgrade() -> None:
    if is_postgresql():
        for name in _EVENTS:
            op.execute(f"DROP FUNCTION {name} CASCADE")
    else:
        for name in _SQLITE:
            op.execute(f"DROP TRIGGER {name}")
    op.drop_table("file_counts")


def _triggers() -> Iterator[str]:
    if not is_postgresql():
        yield from (f"CREATE TRIGGER {name} {what}" for name, what in _SQLITE.items())
        return
    for name, (event, tables, changes) in _EVENTS.items():
        yield _FUNCTION.format(name=name, changes=changes)
        yield (
            f"CREATE TRIGGER {name} AFTER {event} ON files REFERENCING {tables}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )
