"""One file, or a few by their ids: look, read, change, process again, delete."""

import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from io import BytesIO
from typing import IO, Any

import click

from docstore.entrypoints.cli.failures import Exit, failure
from docstore.entrypoints.cli.options import json_option, print_json
from docstore.entrypoints.cli.targets import Target, target_options
from docstore.entrypoints.client.places import of_file
from docstore.entrypoints.client.session import Json, Session
from docstore.entrypoints.logs import printable

SHOWN = (
    "id", "filename", "title", "description", "tags", "metadata", "size", "media_type", "sha256",
    "key", "status", "uploaded_at", "processed_at", "error", "warnings", "extracted",
)  # fmt: skip


@click.command()
@click.argument("file_id", metavar="ID")
@click.option("--wait", type=click.FloatRange(0, 60), help="Seconds, until it is processed.")
@target_options
@json_option
def get(file_id: str, wait: float | None, target: Target, as_json: bool) -> None:
    """Show all that is known of a file."""
    asked = {} if wait is None else {"wait": wait}
    works = bool(wait)
    _show(target.run(lambda s: s.ask("GET", of_file(file_id), params=asked), works=works), as_json)


@click.command()
@click.argument("file_id", metavar="ID")
@target_options
@json_option
def text(file_id: str, target: Target, as_json: bool) -> None:
    """Print all the text of a file."""

    async def act(session: Session, file: IO[bytes]) -> None:
        async with session.stream(of_file(file_id, "text"), {}) as answer:
            async for piece in answer.aiter_raw():
                file.write(piece)

    if as_json:
        whole = BytesIO()
        target.run(lambda session: act(session, whole))
        print_json({"id": file_id, "text": whole.getvalue().decode()})
        return
    with click.open_file("-", "wb") as stdout:
        target.run(lambda session: act(session, stdout))
        stdout.flush()


@click.command()
@click.argument("file_id", metavar="ID")
@click.option("--name", "filename")
@click.option("--title")
@click.option("--description")
@click.option("--tag", "tags", multiple=True, help="In place of all tags; may be repeated.")
@click.option("--metadata", metavar="JSON", help="A JSON object, in place of what was there.")
@click.option(
    "--clear", multiple=True, type=click.Choice(("title", "description", "tags", "metadata"))
)
@target_options
@json_option
def edit(
    file_id: str, target: Target, clear: Sequence[str], metadata: str | None,
    tags: Sequence[str], as_json: bool, **texts: str | None,
) -> None:  # fmt: skip
    """Change what is said of a file. What is not given stays."""
    change: dict[str, Any] = {name: value for name, value in texts.items() if value is not None}
    if tags:
        change["tags"] = list(tags)
    if metadata is not None:
        change["metadata"] = _parsed(metadata)
    if twice := change.keys() & set(clear):
        raise click.UsageError(f"--clear {min(twice)} and a new one exclude each other")
    change |= dict.fromkeys(clear)
    if not change:
        raise click.UsageError("nothing to change was given")
    _show(target.run(lambda s: s.ask("PATCH", of_file(file_id), json=change)), as_json)


@click.command()
@click.argument("ids", nargs=-1, required=True)
@click.option("--force", is_flag=True, help="Also those that were processed well.")
@target_options
@json_option
def retry(ids: Sequence[str], force: bool, target: Target, as_json: bool) -> None:
    """Process failed files again."""
    asked = {"force": "true"} if force else {}

    async def act(session: Session, file_id: str) -> str:
        view = await session.ask("POST", of_file(file_id, "retry"), params=asked)
        return str(view["status"])

    _each(target, ids, act, as_json)


@click.command()
@click.argument("ids", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@target_options
@json_option
def rm(ids: Sequence[str], yes: bool, target: Target, as_json: bool) -> None:
    """Delete files, for good."""
    if not yes:
        what = f"{len(ids)} files" if len(ids) > 1 else ids[0]
        click.confirm(f"Delete {what}?", abort=True, err=True)

    async def act(session: Session, file_id: str) -> str:
        await session.ask("DELETE", of_file(file_id))
        return "deleted"

    _each(target, ids, act, as_json)


def _each(
    target: Target, ids: Sequence[str], act: Callable[[Session, str], Awaitable[str]], as_json: bool
) -> None:
    """One that fails does not keep the others."""

    async def run(session: Session) -> int:
        return sum([not await one(session, file_id) for file_id in ids])

    async def one(session: Session, file_id: str) -> bool:
        try:
            done = await act(session, file_id)
        except Exception as error:
            click.echo(f"docstore: {printable(file_id)}: {failure(error).message}", err=True)
            return False
        if as_json:
            print_json({"id": file_id, "done": done})
        else:
            click.echo(f"{file_id}  {done}")
        return True

    if target.run(run):
        raise SystemExit(Exit.FAILED)


def _parsed(metadata: str) -> Any:
    try:
        return json.loads(metadata)
    except ValueError as error:
        raise click.BadParameter(f"no JSON: {error}", param_hint="--metadata") from None


def _show(view: Json, as_json: bool) -> None:
    if as_json:
        print_json(view)
        return
    for name in SHOWN:
        value = view.get(name)
        if value not in (None, [], {}):
            told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            click.echo(f"{name + ':':14} {printable(told)}")
    for line in _steps(view):
        click.echo(f"{'step:':14} {printable(line)}")


def _steps(view: Json) -> Iterator[str]:
    """Of the newest job, where the view has jobs."""
    for job in view.get("jobs", [])[:1]:
        for step in job["steps"]:
            which = f"{step['processor']} {step['version']} {step['state']}"
            yield ": ".join(filter(None, (which, step["error"], step["log"])))
