"""The OpenAPI document, and Swagger UI to read it with. Nothing comes from elsewhere."""

import asyncio
from collections.abc import Mapping
from typing import Final, NewType

from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp
from openapi_ui_bundles import swagger_ui

from docstore.domain.errors import NotFound
from docstore.entrypoints.http.answers import Answer
from docstore.entrypoints.http.operations import Bytes, Operation, route
from docstore.settings import Settings

Described = NewType("Described", bytes)
"""The OpenAPI document as JSON."""

FILES: Final[Mapping[str, str]] = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
START: Final = "start.js"
POLICY: Final = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
A_DAY: Final = "public, max-age=86400"

PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>docstore</title>
<link rel="stylesheet" href="{prefix}/docs/swagger-ui.css">
<link rel="icon" href="{prefix}/docs/favicon-32x32.png">
<div id="swagger-ui"></div>
<script src="{prefix}/docs/swagger-ui-bundle.js"></script>
<script src="{prefix}/docs/start.js"></script>
</html>
"""
SCRIPT: Final = """\
SwaggerUIBundle({{
  url: "{prefix}/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: true,
  validatorUrl: null,
}});
"""

OPENAPI: Final = Operation(answers={200: Bytes("application/json")}, is_open=True, tag="about")
DOCS: Final = Operation(answers={200: Bytes("text/html")}, is_open=True, tag="about")
DOCS_FILE: Final = Operation(
    answers={200: Bytes()},
    refusals=(404,),
    is_open=True,
    tag="about",
    path_parameters={"name": "A file of Swagger UI."},
)


@route("GET", "/openapi.json", OPENAPI)
async def openapi_json(described: NamedDependency[Described]) -> ASGIApp:
    """This document."""
    return Answer(described)


@route("GET", "/docs", DOCS)
async def docs_page(settings: NamedDependency[Settings]) -> ASGIApp:
    """This document, to read and to try out."""
    page = PAGE.format(prefix=settings.http_prefix)
    headers = {"Content-Security-Policy": POLICY}
    return Answer(page.encode(), media_type="text/html; charset=utf-8", headers=headers)


@route("GET", "/docs/{name:str}", DOCS_FILE)
async def docs_file(name: FromPath[str], settings: NamedDependency[Settings]) -> ASGIApp:
    """A file that the page at /docs needs."""
    if name == START:
        script = SCRIPT.format(prefix=settings.http_prefix)
        return Answer(script.encode(), media_type=FILES["swagger-ui-bundle.js"])
    if name not in FILES:
        raise NotFound("page", name)
    body: bytes = await asyncio.to_thread((swagger_ui.static_path / name).read_bytes)
    return Answer(body, media_type=FILES[name], headers={"Cache-Control": A_DAY})
