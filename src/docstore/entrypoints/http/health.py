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


@route("GET", "/health", HEALTH)
async def health() -> ASGIApp:
    """Whether this process serves."""
    return shown(HealthView(status="ok"))


@route("GET", "/health/ready", READY)
async def ready(docstore: NamedDependency[Docstore]) -> ASGIApp:
    """Whether what docstore leans on answers too.

    503 while the database, the store or the queue is away; `parts` says which.
    """
    parts = await docstore.check_health()
    is_ready = all(state == "ok" for state in parts.values())
    view = ReadinessView(status="ok" if is_ready else "unavailable", parts=parts)
    return shown(view, status=200 if is_ready else 503)
