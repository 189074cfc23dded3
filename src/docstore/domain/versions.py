from dataclasses import dataclass

from docstore.domain.ids import JobId


@dataclass(frozen=True, slots=True)
class Versions:
    """At which version a file is, and each of its jobs. Nothing that people see of them changes
    while these stay the same; what heartbeats change nobody sees.
    """

    file: int
    jobs: frozenset[tuple[JobId, int]]
