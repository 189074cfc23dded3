"""What clients see, beside files. A field here is a public promise."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from docstore.domain.user import User


class View(BaseModel):
    model_config = ConfigDict(frozen=True)


class UserView(View):
    """An account."""

    id: UUID
    email: str | None = Field(examples=["ada@example.org"])
    created_at: datetime

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(id=user.id, email=user.email, created_at=user.created_at)


class TokenView(View):
    """A bearer token, and for how many seconds it is one."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int = Field(examples=[3600])

    @classmethod
    def of(cls, token: str, lifetime: timedelta) -> Self:
        return cls(access_token=token, expires_in=int(lifetime.total_seconds()))


class HealthView(View):
    status: str = Field(examples=["ok"])


class ReadinessView(View):
    """Whether what docstore leans on answers."""

    status: Literal["ok", "degraded", "unavailable"]
    parts: Mapping[str, str] = Field(examples=[{"database": "ok", "storage": "ok", "queue": "ok"}])


class PageView(View):
    """A stretch of a listing."""

    page: int | None = Field(description="null with a cursor")
    page_size: int
    total: int | None = Field(
        None, description="null beyond 10,000 unless total=exact; absent with a cursor"
    )
    next_cursor: str | None = Field(description="null at the end")


class ProblemField(View):
    field: str
    message: str


class ProblemView(View):
    """RFC 9457 problem details. `trace_id` finds the server's log line."""

    type: str = Field(examples=["/problems/not-found"])
    title: str
    status: int
    detail: str
    trace_id: str
    errors: Sequence[ProblemField] | None = None
    max_bytes: int | None = None
    retry_after: int | None = None
