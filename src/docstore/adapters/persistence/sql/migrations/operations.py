"""What migrations say once for every database. A migration in use never changes, so neither may
what is here: something else gets another name.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


def text(length: int | None = None) -> sa.String:
    """Characters, compared and sorted by their code points on every database."""
    kind: type[sa.String] = sa.Text if length is None else sa.String
    return kind(length).with_variant(kind(length, collation="C"), "postgresql")


def create_partial_index(name: str, table: str, columns: Sequence[str], where: str) -> None:
    """An index of the rows that `where` takes."""
    rule = sa.text(where)
    op.create_index(name, table, list(columns), sqlite_where=rule, postgresql_where=rule)


def is_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"
