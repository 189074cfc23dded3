"""Files and folders, on their way in."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from docstore.entrypoints.cli.failures import Exit, Failure, failure
from docstore.entrypoints.cli.options import json_option, print_json
from docstore.entrypoints.cli.progress import Progress, progress
from docstore.entrypoints.cli.targets import Target, target_options
from docstore.entrypoints.client.session import Json, Session
from docstore.entrypoints.client.uploading import PIECE, Details, PathSource
from docstore.entrypoints.client.uploading import upload as send
from docstore.entrypoints.logs import printable

WAIT = 30  # seconds that one request waits for a file to be processed


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--name", help="Another name; needed for -, which is stdin.")
@click.option("--title")
@click.option("--description")
@click.option("--tag", "tags", multiple=True, help="May be given several times.")
@click.option("--metadata", metavar="JSON", help="A JSON object.")
@click.option("--hidden", is_flag=True, help="Also what begins with a dot, inside of folders.")
@click.option("--wait", is_flag=True, help="Until all are processed.")
@click.option("--jobs", default=4, show_default=True, type=click.IntRange(1, 32), help="At once.")
@target_options
@json_option
def upload(
    paths: Sequence[Path], target: Target, name: str | None, title: str | None,
    description: str | None, tags: Sequence[str], metadata: str | None, hidden: bool,
    wait: bool, jobs: int, as_json: bool,
) -> None:  # fmt: skip
    """Upload files and folders.

    PATHS are files, folders with all that is in them, or - for stdin. Prints the id and the name
    of each file; --json prints one object a line. Links inside of folders are not followed, and
    what begins with a dot is left out. A file that cannot be uploaded does not keep the others:
    it is told on stderr, and the status is 1.
    """
    details = Details(title=title, description=description, tags=tags, metadata=_object(metadata))
    with ExitStack() as stack:
        sources = list(_sources(paths, name, hidden, stack))
        shown = stack.enter_context(progress(sum(source.size for source in sources)))
        batch = _Batch(details, shown, wait, as_json)
        target.run(lambda session: batch.run(session, sources, jobs), works=wait)
    if target.is_local and not wait and batch.done:
        click.echo("`docstore serve` or `docstore worker` will process them", err=True)
    if batch.failed:
        raise SystemExit(Exit.FAILED)


class _Batch:
    """Some uploads, of which each may fail for itself."""

    def __init__(self, details: Details, shown: Progress, wait: bool, as_json: bool) -> None:
        self._details = details
        self._shown = shown
        self._wait = wait
        self._as_json = as_json
        self.done = 0
        self.failed = 0

    async def run(self, session: Session, sources: Sequence[PathSource], jobs: int) -> None:
        room = asyncio.Semaphore(jobs)

        async def one(source: PathSource) -> None:
            async with room:
                await self._one(session, source)

        async with asyncio.TaskGroup() as group:
            for source in sources:
                group.create_task(one(source))

    async def _one(self, session: Session, source: PathSource) -> None:
        try:
            with self._shown.file() as sent:
                view = await send(session, source, self._details, sent)
            while self._wait and view["status"] not in ("processed", "failed"):
                place = f"/files/{view['id']}"
                view = await session.ask("GET", place, params={"wait": WAIT})
        except Exception as error:
            self.failed += 1
            self._shown.tell(f"docstore: {source.path}: {failure(error).message}")
            return
        self.done += 1
        self._tell(view)

    def _tell(self, view: Json) -> None:
        if self._as_json:
            print_json(view)
        else:
            status = f"  {view['status']}" if self._wait else ""
            click.echo(f"{view['id']}  {printable(view['filename'])}{status}")


def _object(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        raise click.BadParameter(f"no JSON: {error}", param_hint="--metadata") from None
    if not isinstance(found, dict):
        raise click.BadParameter("takes a JSON object", param_hint="--metadata")
    return found


def _sources(
    paths: Sequence[Path], name: str | None, hidden: bool, stack: ExitStack
) -> Iterator[PathSource]:
    if name is not None and (len(paths) != 1 or paths[0].is_dir()):
        raise click.UsageError("--name is for one file")
    for path in paths:
        if str(path) == "-":
            yield _stdin(name, stack)
        elif path.is_dir():
            for each in _inside(path, hidden):
                yield PathSource(each, each.name, each.stat().st_size)
        elif path.exists():
            yield PathSource(path, name or path.name, path.stat().st_size)
        else:
            raise Failure(f"{path}: no such file or folder", Exit.WRONG_USE)


def _inside(folder: Path, hidden: bool) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if hidden or not each.startswith("."))
        for each in sorted(files):
            path = Path(root) / each
            if (hidden or not each.startswith(".")) and path.is_file() and not path.is_symlink():
                yield path


def _stdin(name: str | None, stack: ExitStack) -> PathSource:
    """Kept in a file meanwhile: it can be read once, but may have to be sent twice."""
    if name is None:
        raise click.UsageError("- needs --name")
    kept = stack.enter_context(tempfile.NamedTemporaryFile(prefix="docstore-"))  # noqa: SIM115
    while piece := sys.stdin.buffer.read(PIECE):
        kept.write(piece)
    kept.flush()
    return PathSource(Path(kept.name), name, os.path.getsize(kept.name))
