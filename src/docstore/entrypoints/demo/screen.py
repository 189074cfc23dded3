"""The demo on a terminal: moving bars where there is one, plain lines in a pipe."""

from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from docstore.entrypoints.demo.findings import found, preview, readable_size, short_type
from docstore.entrypoints.demo.journey import Trip
from docstore.entrypoints.logs import printable

_PIPE_WIDTH: Final = 160  # characters of a line that nobody folds
_STYLES: Final = {"processed": "green", "failed": "red", "refused": "red"}


def console() -> Console:
    """Colours and movement on a terminal only."""
    plain = Console(highlight=False)
    return plain if plain.is_terminal else Console(highlight=False, width=_PIPE_WIDTH)


class Quiet:
    """Shows nothing: for scripts."""

    def sent(self, trip: Trip, size: int) -> None: ...

    def moved(self, trip: Trip) -> None: ...


class Lines:
    """One line whenever a file's status changes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: dict[int, str] = {}

    def sent(self, trip: Trip, size: int) -> None:
        """A bar would be noise here."""

    def moved(self, trip: Trip) -> None:
        if self._last.get(id(trip)) != trip.status:
            self._last[id(trip)] = trip.status
            self._console.print(f"  {_name(trip)}: {trip.status}")


class Bars:
    """A bar for each file's upload, then its status. A context manager."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[status]}"),
            console=console,
        )
        self._tasks: dict[int, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def sent(self, trip: Trip, size: int) -> None:
        share = f"uploading {readable_size(size)}"
        self._progress.update(self._task(trip), completed=size, status=share)

    def moved(self, trip: Trip) -> None:
        style = _STYLES.get(trip.status, "yellow")
        status = f"[{style}]{trip.status}[/]"
        size = trip.size + 1 if trip.is_final else trip.size
        self._progress.update(self._task(trip), completed=size, status=status)

    def _task(self, trip: Trip) -> TaskID:
        """The last step of the bar is the processing."""
        if id(trip) not in self._tasks:
            self._tasks[id(trip)] = self._progress.add_task(
                _name(trip), total=trip.size + 1, status=""
            )
        return self._tasks[id(trip)]


def table(trips: Sequence[Trip]) -> Table:
    """What became of each file."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column("file", no_wrap=True, max_width=32)
    made.add_column("type by content", no_wrap=True)
    made.add_column("size", justify="right", no_wrap=True)
    made.add_column("status", no_wrap=True)
    made.add_column("found", overflow="fold")
    made.add_column("text begins")
    made.add_column("took", justify="right", no_wrap=True)
    for trip in trips:
        made.add_row(*_row(trip))
    return made


def _row(trip: Trip) -> tuple[RenderableType, ...]:
    size, status = readable_size(trip.size), f"[{_STYLES.get(trip.status, 'yellow')}]{trip.status}"
    if trip.view is None:
        return _name(trip), "", size, status, escape(printable(trip.problem)), "", ""
    seconds = trip.seconds
    return (
        _name(trip),
        short_type(trip.view["media_type"]),
        size,
        status,
        escape(printable(found(trip.view))),
        Text(printable(preview(trip.view)), no_wrap=True, overflow="ellipsis"),
        "" if seconds is None else f"{seconds:.2f} s",
    )


def _name(trip: Trip) -> str:
    return escape(printable(trip.path.name))
