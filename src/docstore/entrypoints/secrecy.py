"""Whether the secret that signs tokens is one: whoever knows it is everybody."""

import re
from typing import Final

from docstore.settings import Settings

ADVICE: Final = "`openssl rand -hex 32` makes a good one"
FEW_CHARACTERS: Final = 10  # different ones
_PLACEHOLDER: Final = re.compile(r"(change|replace)[-_ ]?(me|this|it)|your[-_ ]?secret", re.I)
"""What stands in examples, ours among them."""


class PublishedSecret(ValueError):
    """The secret stands in an example that everybody can read."""


def is_published(secret: str) -> bool:
    return _PLACEHOLDER.search(secret) is not None


def is_guessable(secret: str) -> bool:
    return is_published(secret) or len(set(secret)) < FEW_CHARACTERS


def is_refused(settings: Settings) -> bool:
    """Where nobody but this machine reaches it, a published one is good for a look."""
    return settings.is_public and is_published(settings.jwt_secret)


def refuse_published(settings: Settings) -> None:
    """PublishedSecret when it `is_refused`."""
    if is_refused(settings):
        raise PublishedSecret(
            f"DOCSTORE_JWT_SECRET stands in an example, so whoever reaches {settings.host} may "
            f"sign in as anybody: {ADVICE}"
        )
