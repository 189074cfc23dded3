from datetime import UTC, datetime
from uuid import UUID

from docstore.domain.ids import UserId
from docstore.domain.names import Email
from docstore.domain.user import User

NOW = datetime(2030, 1, 2, tzinfo=UTC)
ALICE = User(id=UserId(UUID(int=1)), created_at=NOW, email=Email("alice@x.org"))


def test_a_new_password_ends_older_tokens_and_a_new_hash_does_not() -> None:
    assert ALICE.with_password("h").token_version == ALICE.token_version + 1
    assert ALICE.rehashed("h").token_version == ALICE.token_version
    assert ALICE.with_password("h").password_hash == ALICE.rehashed("h").password_hash == "h"


def test_who_is_disabled_can_be_enabled() -> None:
    disabled = ALICE.disable(NOW)
    assert (disabled.is_disabled, disabled.disabled_at) == (True, NOW)
    assert not disabled.enable().is_disabled


def test_every_change_is_a_new_version() -> None:
    changed = [ALICE.with_password("h"), ALICE.rehashed("h"), ALICE.disable(NOW), ALICE.enable()]
    assert {user.version for user in changed} == {ALICE.version + 1}
