from typing import Final

from litestar.di import NamedDependency
from litestar.types import ASGIApp

from docstore.application.docstore import Docstore
from docstore.entrypoints.http.answers import shown
from docstore.entrypoints.http.operations import Operation, route
from docstore.entrypoints.http.views import HealthView, ReadinessView

HEALTH: Final = Operation(answers={200: HealthView}, is_open=True, tag="about")
READY: Final = Operation(
    answers={200: ReadinessView, 503: ReadinessView}, is_open=True, tag="about"
)

CAN_WAIT: Final = {"queue"}
"""What no request needs."""


@route("GET", "/health", HEALTH)
async def health() -> ASGIApp:
    """Whether this process serves."""
    return shown(HealthView(status="ok"))


@route("GET", "/health/ready", READY)
async def ready(docstore: NamedDependency[Docstore]) -> ASGIApp:
    """Whether what docstore leans on answers too.

    503 while the database or the store is away; `parts` says which. Without its queue docstore
    serves on, and processes what came in once it is back: the status is `degraded`, with 200.
    """
    parts = await docstore.check_health()
    away = {part for part, state in parts.items() if state != "ok"}
    if away <= CAN_WAIT:
        return shown(ReadinessView(status="degraded" if away else "ok", parts=parts))
    return shown(ReadinessView(status="unavailable", parts=parts), status=503)
