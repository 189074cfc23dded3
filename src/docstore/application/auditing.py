"""The security log: who signed in, who tried to, and what became of accounts.

It names users by their ids. What was given as an address or a password never stands in it: people
type one where the other belongs.
"""

import logging
from enum import StrEnum
from typing import Any, Final

from docstore.domain.ids import UserId

LOGGER: Final = "docstore.security"
_log = logging.getLogger(LOGGER)


class Event(StrEnum):
    """What happened. Stable: alerts are built on these words."""

    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"  # of an account, or without `user_id` of none
    WRONG_PASSWORD = "wrong-password"  # said by who is signed in already
    ACCOUNT_MADE = "account-made"
    ACCOUNT_DISABLED = "account-disabled"
    ACCOUNT_ENABLED = "account-enabled"
    ACCOUNT_DELETED = "account-deleted"
    PASSWORD_CHANGED = "password-changed"  # by its owner
    PASSWORD_SET = "password-set"  # by the operator


_FAILURES: Final = frozenset({Event.SIGN_IN_FAILED, Event.WRONG_PASSWORD})


def tell(event: Event, user_id: UserId | None, *, client: str | None = None) -> None:
    """One line. `client` is the address that the entrypoint knows of. Failures may be many, so a
    log may leave some out; of everything else each one counts.
    """
    fields: dict[str, Any] = {"event": str(event), "code": str(event), "client": client}
    fields["user_id"] = str(user_id) if user_id else None
    fields["unsampled"] = event not in _FAILURES
    _log.log(
        logging.WARNING if event in _FAILURES else logging.INFO,
        "%s",
        event.replace("-", " "),
        extra=fields,
    )
