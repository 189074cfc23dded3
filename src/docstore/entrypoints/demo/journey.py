"""Files go in, are processed, and come out the same."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from docstore.entrypoints.demo.client import Client, Refused, View

PATIENCE: Final = 600.0  # seconds without any file becoming final

_FINAL: Final = ("processed", "failed")


@dataclass(slots=True)
class Trip:
    """One file's way through the store."""

    path: Path
    size: int  # bytes
    view: View | None = None  # as the server showed it last
    problem: str = ""  # why it is not there
    is_same: bool | None = None  # whether the download was the upload; None: not looked at

    @property
    def status(self) -> str:
        return str(self.view["status"]) if self.view else "refused"

    @property
    def is_final(self) -> bool:
        return self.view is None or self.status in _FINAL

    @property
    def went_well(self) -> bool:
        return self.status == "processed" and self.is_same is True

    @property
    def seconds(self) -> float | None:
        """From the upload's end to the end of processing."""
        if self.view is None or not self.is_final:
            return None
        end = self.view["processed_at"] or self.view["updated_at"]
        began = datetime.fromisoformat(self.view["uploaded_at"])
        return (datetime.fromisoformat(end) - began).total_seconds()


class Watcher(Protocol):
    """Is told how far each file is."""

    def sent(self, trip: Trip, size: int) -> None: ...

    def moved(self, trip: Trip) -> None: ...


def travel(client: Client, paths: Sequence[Path], watcher: Watcher) -> list[Trip]:
    """Upload, wait and download; what goes wrong with one file is noted and costs no other."""
    trips = [Trip(path, path.stat().st_size) for path in paths]
    for trip in trips:
        _upload(client, trip, watcher)
    _wait(client, trips, watcher)
    for trip in trips:
        _compare(client, trip)
    return trips


def _upload(client: Client, trip: Trip, watcher: Watcher) -> None:
    try:
        trip.view = client.upload(trip.path, lambda size: watcher.sent(trip, size))
    except Refused as error:
        trip.problem = str(error)
    watcher.moved(trip)


def _wait(client: Client, trips: Sequence[Trip], watcher: Watcher) -> None:
    until = time.monotonic() + PATIENCE
    while waiting := [trip for trip in trips if not trip.is_final]:
        if time.monotonic() > until:
            return
        for trip in waiting:
            assert trip.view is not None
            trip.view = client.look(trip.view["id"])
            watcher.moved(trip)
            if trip.is_final:
                until = time.monotonic() + PATIENCE


def _compare(client: Client, trip: Trip) -> None:
    if trip.view is None:
        return
    try:
        trip.is_same = client.is_same(trip.view["id"], trip.path)
    except Refused as error:
        trip.problem = str(error)
