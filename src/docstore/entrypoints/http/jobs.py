"""The work that is done on the caller's files."""

from typing import Any, Final

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp
from pydantic import Field

from docstore.application.docstore import Docstore
from docstore.domain.ids import JobId
from docstore.domain.lifecycle import JobStatus
from docstore.domain.listing import JobQuery
from docstore.domain.user import User
from docstore.entrypoints.http.answers import told
from docstore.entrypoints.http.files import uuid_in
from docstore.entrypoints.http.job_views import JobPage, JobView, job_fields
from docstore.entrypoints.http.operations import Operation, route
from docstore.entrypoints.http.paging import Paged, page_fields, page_links
from docstore.entrypoints.http.queries import NoQuery, read_query
from docstore.settings import Settings


class JobListing(Paged):
    status: JobStatus | None = Field(None, examples=["failed"])


LIST: Final = Operation(
    answers={200: JobPage},
    query=JobListing,
    refusals=(422,),
    answer_headers=("Link",),
    tag="jobs",
)
READ: Final = Operation(
    answers={200: JobView},
    refusals=(404, 422),
    tag="jobs",
    path_parameters={"id": "The job's id."},
)


@route("GET", "/jobs", LIST)
async def list_jobs(
    request: Request[User, Any, Any],
    docstore: NamedDependency[Docstore],
    settings: NamedDependency[Settings],
) -> ASGIApp:
    """The jobs of the caller's files, newest first; in pages or by cursor, as files are."""
    query = read_query(request, JobListing)
    found = await docstore.jobs(
        owner=request.user.id, query=JobQuery(status=query.status), wanted=query.wanted()
    )
    items = [job_fields(job, settings.max_attempts) for job in found.items]
    links = page_links(f"{settings.http_prefix}/jobs", query, found)
    return told(page_fields(query, found, items), headers={"Link": links})


@route("GET", "/jobs/{id:str}", READ)
async def read_job(
    request: Request[User, Any, Any],
    id: FromPath[str],
    docstore: NamedDependency[Docstore],
    settings: NamedDependency[Settings],
) -> ASGIApp:
    """One job of one of the caller's files."""
    read_query(request, NoQuery)
    job = await docstore.job(owner=request.user.id, id=JobId(uuid_in(id, "job")))
    return told(job_fields(job, settings.max_attempts))
