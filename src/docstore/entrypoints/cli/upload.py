"""Files and folders, on their way in."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from docstore.entrypoints.cli.failures import Exit, failure
from docstore.entrypoints.cli.options import json_option
from docstore.entrypoints.cli.progress import Progress, progress
from docstore.entrypoints.cli.targets import Target, target_options
from docstore.entrypoints.client.collecting import collected
from docstore.entrypoints.client.errors import Unreachable
from docstore.entrypoints.client.places import of_file
from docstore.entrypoints.client.retrying import PATIENT
from docstore.entrypoints.client.session import Json, Session
from docstore.entrypoints.client.uploading import PIECE, Details, PathSource
from docstore.entrypoints.client.uploading import upload as send
from docstore.entrypoints.logs import printable

WAIT = 30  # seconds that one request waits for a file to be processed
ROUNDS = 120


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--name", help="Another name; needed for -, which is stdin.")
@click.option("--title")
@click.option("--description")
@click.option("--tag", "tags", multiple=True, help="May be given several times.")
@click.option("--metadata", metavar="JSON", help="A JSON object.")
@click.option("--hidden", is_flag=True, help="Also what begins with a dot, inside of folders.")
@click.option("--wait", is_flag=True, help="Until all are processed; for an hour at most.")
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
    it is told on stderr, and the status is 1; as it is when --wait sees that one was not processed.
    """
    details = Details(title=title, description=description, tags=tags, metadata=_object(metadata))
    _check(paths, name)
    with ExitStack() as stack:
        unread = _Unread()
        sources = [_stdin(name or "", stack)] if _is_stdin(paths) else list(
            collected(paths, unread, name=name, hidden=hidden)
        )  # fmt: skip
        size = sum(source.size for source in sources)
        shown = stack.enter_context(progress(size, len(sources), as_json=as_json))
        batch = _Batch(details, shown, wait)
        target.run(lambda session: batch.run(session, sources, jobs), works=wait)
    if target.is_local and not wait and batch.done:
        click.echo("`docstore serve` or `docstore worker` will process them", err=True)
    if batch.failed or unread.count:
        raise SystemExit(Exit.FAILED)


class _Batch:
    """Some uploads, of which each may fail for itself."""

    def __init__(self, details: Details, shown: Progress, wait: bool) -> None:
        self._details = details
        self._shown = shown
        self._wait = wait
        self._tries = PATIENT
        self.done = 0
        self.failed = 0

    async def run(self, session: Session, sources: Sequence[PathSource], jobs: int) -> None:
        left = iter(sources)

        async def work() -> None:
            for source in left:
                await self._one(session, source)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(jobs, len(sources))):
                group.create_task(work())

    async def _one(self, session: Session, source: PathSource) -> None:
        try:
            view = await self._sent(session, source)
            self.done += 1
            if self._wait:
                view = await _settled(session, view)
        except Exception as error:
            self._fail(source, failure(error).message)
            return
        status = f"  {view['status']}" if self._wait else ""
        self._shown.print(view, f"{view['id']}  {printable(view['filename'])}{status}")
        if self._wait and view["status"] != "processed":
            self._fail(source, f"was stored, and not processed: {_why(view)}")

    async def _sent(self, session: Session, source: PathSource) -> Json:
        try:
            with self._shown.file() as sent:
                view = await send(session, source, self._details, sent, tries=self._tries)
        except Unreachable:
            self._tries = 1  # it was waited for: the others need not wait as long again
            raise
        self._tries = PATIENT
        return view

    def _fail(self, source: PathSource, why: str) -> None:
        self.failed += 1
        place = printable(str(source.path))
        self._shown.tell(f"docstore: {place}: {why.removeprefix(f'{place}: ')}")


async def _settled(session: Session, view: Json) -> Json:
    for _ in range(ROUNDS):
        if view["status"] in ("processed", "failed"):
            break
        view = await session.ask("GET", of_file(view["id"]), params={"wait": WAIT})
    return view


def _why(view: Json) -> str:
    if view["status"] == "failed":
        return printable(str((view["error"] or {}).get("message")))
    return f"it is still {view['status']}"


class _Unread:
    """Tells of what was found to be no file, and counts it."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, path: Path, error: Exception) -> None:
        self.count += 1
        click.echo(f"docstore: {failure(error).message}", err=True)


def _object(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        raise click.BadParameter(f"no JSON: {error}", param_hint="--metadata") from None
    if not isinstance(found, dict):
        raise click.BadParameter("takes a JSON object", param_hint="--metadata")
    return found


def _is_stdin(paths: Sequence[Path]) -> bool:
    return any(str(path) == "-" for path in paths)


def _check(paths: Sequence[Path], name: str | None) -> None:
    if _is_stdin(paths) and (len(paths) > 1 or not name):
        raise click.UsageError("- needs --name, and stands alone")
    if name is not None and (len(paths) > 1 or paths[0].is_dir()):
        raise click.UsageError("--name is for one file")


def _stdin(name: str, stack: ExitStack) -> PathSource:
    """Kept in a file meanwhile: it can be read once, but may have to be sent twice."""
    kept = stack.enter_context(tempfile.NamedTemporaryFile(prefix="docstore-"))  # noqa: SIM115
    while piece := sys.stdin.buffer.read(PIECE):
        kept.write(piece)
    kept.flush()
    return PathSource(Path(kept.name), name, os.path.getsize(kept.name))
