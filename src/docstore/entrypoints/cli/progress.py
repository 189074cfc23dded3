"""How far a transfer is, on stderr; nothing where that is no terminal."""

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


class Progress:
    """Bytes of all files together."""

    def __init__(self, bars: Bars, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    @contextmanager
    def file(self) -> Iterator[Callable[[int], None]]:
        """What is to be told how many bytes of one file have gone; they may become fewer, when
        it has to be sent again."""
        before = 0

        def gone(count: int) -> None:
            nonlocal before
            self._bars.advance(self._task, count - before)
            before = count

        yield gone

    def tell(self, line: str) -> None:
        """On stderr, beside the bar."""
        if self._bars.disable:
            click.echo(line, err=True)
        else:
            self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress(size: int) -> Iterator[Progress]:
    """A bar for so many bytes while inside."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        yield Progress(bars, bars.add_task("", total=size))
