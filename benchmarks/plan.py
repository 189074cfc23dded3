"""What the load generator is told, and what it tells: the two ends of a pipe between processes."""

import json
from dataclasses import asdict, dataclass, field
from typing import Self

LONGEST_SILENCE = 60.0  # seconds without an event on any connection before a run is given up


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Closed loop: each connection sends its next request when it has the whole answer."""

    host: str
    port: int
    method: str = "GET"
    paths: list[str]  # taken in turn; {n} stands for the number of the request
    headers: list[str] = field(default_factory=list)  # whole lines
    connections: int = 1
    seconds: float | None = None  # after which no request begins; or
    requests: int | None = None  # so many
    size: int = 0  # bytes of the body between its two ends
    source: str | None = None  # file that the body is sent from; without one it is random
    before: str = ""  # of a form
    after: str = ""
    range_of: int = 0  # bytes of what is asked for; then each request takes a random range of it
    range_length: int = 0
    keep_locations: bool = False

    def dumped(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def loaded(cls, text: str) -> Self:
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """How it went."""

    requests: int  # that were answered with 2xx
    errors: dict[str, int]
    seconds: float
    sent: int  # bytes of bodies
    received: int
    p50: float  # milliseconds
    p99: float
    cpu: float  # seconds of the generator itself
    locations: list[str]

    def dumped(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def loaded(cls, text: str) -> Self:
        return cls(**json.loads(text))
