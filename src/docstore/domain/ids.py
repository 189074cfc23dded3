"""Identities. UUIDv7 (RFC 9562), made by the container's `new_id`, so that they sort by age."""

from typing import NewType
from uuid import UUID

FileId = NewType("FileId", UUID)
JobId = NewType("JobId", UUID)
UserId = NewType("UserId", UUID)
LeaseToken = NewType("LeaseToken", UUID)
