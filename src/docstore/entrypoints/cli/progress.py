"""How far a transfer is, on stderr; nothing where that is no terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

from docstore.entrypoints.cli.options import as_line


class Progress:
    """Bytes of all files together, and how many of the files are through."""

    def __init__(self, bars: Bars, task: TaskID, files: int, as_json: bool) -> None:
        self._bars = bars
        self._task = task
        self._files = files
        self._as_json = as_json
        self._through = 0

    @contextmanager
    def file(self) -> Iterator[Callable[[int], None]]:
        """What is to be told how many bytes of one file have gone; they may become fewer, when
        it has to be sent again."""
        before = 0

        def gone(count: int) -> None:
            nonlocal before
            self._bars.advance(self._task, count - before)
            before = count

        try:
            yield gone
        finally:
            self._through += 1
            self._bars.update(self._task, description=f"{self._through}/{self._files} files")

    def print(self, value: object, line: str) -> None:
        """On stdout: `value` as JSON when that is wanted, else `line`."""
        line = as_line(value) if self._as_json else line
        if self._bars.disable or not sys.stdout.isatty():
            click.echo(line)
        else:  # the same terminal has the bar
            self._beside(line)

    def tell(self, line: str) -> None:
        """On stderr, beside the bar."""
        if self._bars.disable:
            click.echo(line, err=True)
        else:
            self._beside(line)

    def _beside(self, line: str) -> None:
        self._bars.console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)


@contextmanager
def progress(size: int, files: int, *, as_json: bool) -> Iterator[Progress]:
    """A bar for so many bytes, of so many files, while inside."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Bars(
        *columns, console=console, transient=True, redirect_stdout=False,
        disable=not console.is_terminal,
    ) as bars:  # fmt: skip
        task = bars.add_task(f"0/{files} files", total=size)
        yield Progress(bars, task, files, as_json)
