"""The main job, shown: files go in, are processed, and come out."""

import shlex
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from docstore.entrypoints.cli.failures import Exit, Failure
from docstore.entrypoints.cli.options import data_dir_option, json_option, print_json
from docstore.entrypoints.demo.client import Client, Refused
from docstore.entrypoints.demo.journey import Trip, Watcher, travel
from docstore.entrypoints.demo.samples import write_samples
from docstore.entrypoints.demo.screen import Bars, Lines, Quiet, console, table
from docstore.entrypoints.demo.server import ServeFailed, served


@click.command()
@click.argument(
    "files", nargs=-1, type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
)
@data_dir_option
@click.option("--keep", is_flag=True, help="Keep the store afterwards. Given with --data-dir.")
@json_option
def demo(files: Sequence[Path], data_dir: Path | None, keep: bool, as_json: bool) -> None:
    """Show files going in, processed, and coming out.

    Starts a server, signs up, uploads FILES, or samples of many kinds, and shows what was found in
    them. The store is a temporary folder, removed at the end, unless --data-dir or --keep is given.
    """
    screen = Console(quiet=True) if as_json else console()
    try:
        with _place(data_dir, keep) as place:
            shown = _show(place, files or write_samples(place.samples), screen, as_json)
            _tell(shown, place, screen, as_json)
    except (ServeFailed, Refused) as error:
        raise Failure(f"the demo failed: {error}") from error
    if not all(trip.went_well for trip in shown.trips):
        raise SystemExit(Exit.FAILED)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the demo's files are."""

    data: Path
    samples: Path
    log: Path
    is_kept: bool


@dataclass(frozen=True, slots=True)
class _Shown:
    """What happened."""

    trips: Sequence[Trip]
    token: str


@contextmanager
def _place(data_dir: Path | None, keep: bool) -> Iterator[_Place]:
    with tempfile.TemporaryDirectory(prefix="docstore-demo-") as scratch:
        data = data_dir or Path(tempfile.mkdtemp(prefix="docstore-"))
        samples = Path(scratch) / "samples"
        samples.mkdir()
        is_kept = keep or data_dir is not None
        try:
            yield _Place(data, samples, Path(scratch) / "serve.log", is_kept)
        finally:
            if not is_kept:
                shutil.rmtree(data, ignore_errors=True)


def _show(place: _Place, files: Sequence[Path], screen: Console, as_json: bool) -> _Shown:
    with ExitStack() as stack:
        with screen.status("starting docstore ..."):
            url = stack.enter_context(served(place.data, place.log))
        client = stack.enter_context(Client(url))
        client.sign_up()
        screen.print(f"docstore serves {url}; signed up and in as {client.email}")
        with ExitStack() as bars:
            watcher: Watcher = _watcher(screen, bars, as_json)
            return _Shown(travel(client, files, watcher), client.token)


def _watcher(screen: Console, bars: ExitStack, as_json: bool) -> Watcher:
    if as_json:
        return Quiet()
    return bars.enter_context(Bars(screen)) if screen.is_terminal else Lines(screen)


def _tell(shown: _Shown, place: _Place, screen: Console, as_json: bool) -> None:
    if as_json:
        print_json(_report(shown, place))
        return
    screen.print()
    screen.print(table(shown.trips))
    same = sum(trip.is_same is True for trip in shown.trips)
    screen.print(f"\n{same} of {len(shown.trips)} came back byte for byte as they went in.\n")
    for line in _how_to_go_on(shown, place):
        screen.print(line, markup=False, soft_wrap=True)


def _report(shown: _Shown, place: _Place) -> dict[str, object]:
    return {
        "ok": all(trip.went_well for trip in shown.trips),
        "data_dir": str(place.data.absolute()) if place.is_kept else None,
        "files": [
            {
                "path": str(trip.path),
                "size": trip.size,
                "status": trip.status,
                "is_same": trip.is_same,
                "seconds": trip.seconds,
                "problem": trip.problem or None,
                "file": trip.view,
            }
            for trip in shown.trips
        ],
    }


def _how_to_go_on(shown: _Shown, place: _Place) -> Sequence[str]:
    here = "http://127.0.0.1:8000"
    if place.is_kept:
        return (
            "Go on with this store (the token is good for an hour):",
            f"  docstore serve --data-dir {shlex.quote(str(place.data))}",
            f"  TOKEN={shown.token}",
            f'  curl -H "Authorization: Bearer $TOKEN" {here}/files',
            f'  curl -H "Authorization: Bearer $TOKEN" -F file=@README.md {here}/upload',
        )
    who = """'{"email": "me@example.org", "password": "correct horse"}'"""
    json_type = "-H 'Content-Type: application/json'"
    return (
        "Go on with a store of your own:",
        "  docstore serve",
        f"  curl {json_type} -d {who} {here}/auth/register",
        f"  curl {json_type} -d {who} {here}/auth/login    # answers with an access_token",
        f'  curl -H "Authorization: Bearer $TOKEN" -F file=@README.md {here}/upload',
    )
