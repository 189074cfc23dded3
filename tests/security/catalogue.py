"""The whole catalogue of attacks: which are made where, and which are not, and why."""

from itertools import chain
from typing import Final

from security.attack import Attack
from security.attacks import (
    authentication,
    authorization,
    connections,
    downloads,
    forms,
    processing,
    protocol,
    queries,
    uploads,
)

IN_PROCESS: Final[list[Attack]] = [
    *chain(
        authentication.rows, authorization.rows, uploads.rows, forms.rows, downloads.rows,
        queries.rows, protocol.rows,
    )
]  # fmt: skip
"""Without a socket."""

ON_A_SOCKET: Final[list[Attack]] = [*connections.rows]

IN_THE_JAIL: Final[list[Attack]] = [*processing.rows]
