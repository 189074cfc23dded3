"""Mail, by its header (RFC 5322) or the line between messages (RFC 4155)."""

import re
from typing import Final

MAX_LINES: Final = 200

_FIELD: Final = re.compile(r"([!-9;-~]{1,76}):")
_SENDERS: Final = frozenset({"from", "sender", "return-path", "received", "x-sender"})
_USUAL: Final = _SENDERS | {
    "to", "cc", "bcc", "subject", "date", "message-id", "mime-version", "content-type",
    "delivered-to", "reply-to", "in-reply-to", "references", "dkim-signature",
}  # fmt: skip
# The sender, then ctime: "From a@b Thu Jan  1 00:00:00 1970".
_SEPARATOR: Final = re.compile(r"From [^\n]{0,300}\d\d:\d\d[^\n]{0,40}\d{4}")


def is_mailbox(begins: str) -> bool:
    first, _, rest = begins.partition("\n")
    return bool(_SEPARATOR.match(first)) and _FIELD.match(rest.lstrip(">")) is not None


def is_mail(begins: str) -> bool:
    """A sender and at least two other fields that mail has, and no line that is not a field."""
    seen: set[str] = set()
    for line in begins.splitlines()[:MAX_LINES]:
        if not line:
            break
        field = _FIELD.match(line)
        if field is not None:
            seen.add(field[1].lower())
        elif not line.startswith((" ", "\t")):
            return False
    return bool(seen & _SENDERS) and len(seen & _USUAL) >= 3
