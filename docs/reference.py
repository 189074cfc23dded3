"""Builds the reference: `python docs/reference.py FOLDER`, which `nox -s docs` calls.

python/   the library, its ports and their contracts, from the docstrings
http/     the OpenAPI document, as a server gives it
cli/      what each command says with --help
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import httpx
import pdoc

import docstore
from docstore.entrypoints.cli import main
from docstore.entrypoints.http.app import create_app

MODULES = (
    "docstore",
    "docstore.domain",
    "docstore.application.docstore",
    "docstore.application.ports",
    "docstore.entrypoints.embedded",
    "docstore.plugins",
    "docstore.settings",
    "docstore.testing",
)


def write_python(folder: Path) -> None:
    for name in docstore.__all__:  # they are loaded when asked for, and pdoc does not ask
        setattr(docstore, name, getattr(docstore, name))
    pdoc.pdoc(*MODULES, output_directory=folder)


async def openapi() -> bytes:
    memory = dict.fromkeys(("database_url", "storage_url", "queue_url"), "memory://")
    app = create_app(docstore.Container(settings=docstore.Settings.model_validate(memory)))
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # its scope is a plain dict
    async with app.lifespan(), httpx.AsyncClient(transport=transport) as client:
        return (await client.get("http://docstore/openapi.json")).content


def commands(command: click.Command, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    """Each command's full name and its help, groups before what is in them."""
    name = "docstore" if parent is None else command.name
    with click.Context(command, parent, info_name=name) as context:
        yield context.command_path, command.get_help(context)
        if isinstance(command, click.Group):
            for each in command.list_commands(context):
                if (found := command.get_command(context, each)) is not None:
                    yield from commands(found, context)


def build(folder: Path) -> None:
    for part in ("python", "http", "cli"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    write_python(folder / "python")
    (folder / "http" / "openapi.json").write_bytes(asyncio.run(openapi()))
    for name, text in commands(main, None):
        (folder / "cli" / f"{name.replace(' ', '-')}.txt").write_text(f"{text}\n")
    click.echo(f"{sum(path.is_file() for path in folder.rglob('*'))} pages in {folder}")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
