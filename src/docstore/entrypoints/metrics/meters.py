"""What is counted, whoever does the counting. Nothing here names a user, a file or a client."""

from dataclasses import dataclass
from typing import Final, Protocol

from docstore.application.observing import Stock
from docstore.application.sweeping import Swept


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A request, when it is over."""

    method: str
    route: str  # its template
    status: int
    seconds: float
    received: int  # bytes of the bodies
    sent: int


class Meters(Protocol):
    """Told what happened, at once and on the event loop: it neither waits nor fails."""

    def answered(self, answered: Answered) -> None: ...
    def uploaded(self, files: int, size: int) -> None: ...
    def attempted(self, job_type: str, seconds: float, outcome: str) -> None: ...
    def extracted(self, processor: str, seconds: float, outcome: str) -> None: ...
    def swept(self, swept: Swept) -> None: ...
    def took_stock(self, stock: Stock) -> None: ...


class NoMeters:
    """Nobody wants to know."""

    def answered(self, answered: Answered) -> None: ...
    def uploaded(self, files: int, size: int) -> None: ...
    def attempted(self, job_type: str, seconds: float, outcome: str) -> None: ...
    def extracted(self, processor: str, seconds: float, outcome: str) -> None: ...
    def swept(self, swept: Swept) -> None: ...
    def took_stock(self, stock: Stock) -> None: ...


NO_METERS: Final[Meters] = NoMeters()
