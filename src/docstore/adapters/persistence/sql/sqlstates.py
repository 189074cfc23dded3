"""SQLSTATEs, as PostgreSQL uses them (postgresql.org/docs/current/errcodes-appendix.html)."""

from collections.abc import Mapping
from typing import Final

from docstore.adapters.persistence.sql.troubles import Trouble

_CODES: Final[Mapping[str, Trouble]] = {
    "23505": Trouble.TAKEN,  # unique_violation
    "23503": Trouble.NO_PARENT,  # foreign_key_violation
    "53100": Trouble.FULL,  # disk_full
    "XX001": Trouble.DAMAGED,  # data_corrupted
    "XX002": Trouble.DAMAGED,  # index_corrupted
    "25006": Trouble.PASSING,  # read_only_sql_transaction: a standby, or one that is full
    "25P03": Trouble.PASSING,  # idle_in_transaction_session_timeout
    "25P04": Trouble.PASSING,  # transaction_timeout
    "3D000": Trouble.PASSING,  # invalid_catalog_name: no such database
    "42501": Trouble.PASSING,  # insufficient_privilege
    "55P03": Trouble.PASSING,  # lock_not_available
}
_CLASSES: Final[Mapping[str, Trouble]] = {
    "08": Trouble.PASSING,  # connection exception
    "28": Trouble.PASSING,  # invalid authorization
    "40": Trouble.PASSING,  # transaction rollback: serialization failure, deadlock
    "53": Trouble.PASSING,  # insufficient resources
    "57": Trouble.PASSING,  # operator intervention: shutdown, start, a statement's time-out
    "58": Trouble.PASSING,  # system error, of files
}


def trouble(error: BaseException) -> Trouble | None:
    state = getattr(error, "sqlstate", None) or ""
    return _CODES.get(state) or _CLASSES.get(state[:2])
