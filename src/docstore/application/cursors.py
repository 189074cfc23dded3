import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from docstore.domain.errors import InvalidField
from docstore.domain.listing import Place

MAX_CURSOR: Final = 4096  # characters; a place in the order of names holds a name
_MAC: Final = 16  # bytes


@dataclass(frozen=True, slots=True)
class Cursors:
    """Places in listings as opaque names, which only the holder of `key` can make.

    A cursor is good for one scope alone: whose listing it is, with which filters, in which order.
    """

    key: bytes = field(repr=False)

    def seal(self, place: Place, scope: str) -> str:
        body = _written(place)
        return _encoded(self._mac(body, scope) + body)

    def open(self, cursor: str, scope: str) -> Place:
        """The place; InvalidField unless exactly this cursor was made for exactly this scope."""
        sealed = _decoded(cursor) if len(cursor) <= MAX_CURSOR else b""
        mac, body = sealed[:_MAC], sealed[_MAC:]
        if not hmac.compare_digest(mac, self._mac(body, scope)):
            raise InvalidField(("cursor", "not a cursor of this listing"))
        return _read(body)

    def _mac(self, body: bytes, scope: str) -> bytes:
        named = scope.encode()
        # The length in front, so that no end of a scope passes for the beginning of a place.
        return hmac.digest(self.key, b"%d:%b%b" % (len(named), named, body), "sha256")[:_MAC]


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(cursor: str) -> bytes:
    try:
        data = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        return b""
    return data if _encoded(data) == cursor else b""  # decoders forgive; one has one spelling


def _written(place: Place) -> bytes:
    is_time = isinstance(place.value, datetime)
    value = place.value.isoformat() if isinstance(place.value, datetime) else place.value
    return json.dumps([is_time, value, place.id.hex], ensure_ascii=False).encode()


def _read(body: bytes) -> Place:
    is_time, value, ident = json.loads(body)
    return Place(datetime.fromisoformat(value) if is_time else value, UUID(ident))
