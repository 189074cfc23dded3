"""The steps of a job that reads a file: one for each processor that accepts it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Self, TypeAlias

from docstore.domain.failure import Failure, FailureCode
from docstore.domain.findings import Json, Notice, Rendition
from docstore.domain.names import MediaType

MAX_LOG: Final = 500  # characters


class StepState(StrEnum):
    WAITING = "waiting"  # for its turn, in this attempt or in the next
    RUNNING = "running"  # exactly while its job is PROCESSING, and one at most
    DONE = "done"  # its result is kept and it is not run again
    FAILED = "failed"  # it ended the latest attempt
    SKIPPED = "skipped"  # its turn never came: an earlier one failed for good


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A text of UTF-8, as a part of a blob that may hold others."""

    key: str
    start: int  # bytes
    size: int  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """All that a step found, so that it need not be run again: big things by their keys."""

    facts: Mapping[str, Json] = field(default_factory=dict)
    text: Excerpt | None = None
    renditions: Sequence[Rendition] = ()
    warnings: Sequence[Notice] = ()
    media_type: MediaType | None = None

    def blob_keys(self) -> frozenset[str]:
        """The blobs that it needs."""
        text = {self.text.key} if self.text else set()
        return frozenset({*text, *(rendition.key for rendition in self.renditions)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A step as it has to be run now, by the processors that there are."""

    processor: str
    version: str
    after: frozenset[str] = frozenset()  # processors that it is ordered after


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What became of one processor's work on one file."""

    processor: str
    version: str  # of the processor
    state: StepState = StepState.WAITING
    attempt: int = 0  # of the job, in which it was begun last; 0: in none
    started_at: datetime | None = None  # aware, UTC
    ended_at: datetime | None = None
    error: FailureCode | None = None  # exactly while FAILED
    log: str = ""  # one line: what was found, or what was wrong
    result: StepResult | None = None  # exactly while DONE

    @property
    def is_done(self) -> bool:
        return self.state is StepState.DONE

    def anew(self) -> Self:
        """To be run, as if it never was."""
        return type(self)(processor=self.processor, version=self.version)

    def start(self, attempt: int, *, now: datetime) -> Self:
        return replace(self.anew(), state=StepState.RUNNING, attempt=attempt, started_at=now)

    def done(self, result: StepResult, log: str, *, now: datetime) -> Self:
        return replace(self, state=StepState.DONE, result=result, log=_line(log), ended_at=now)

    def fail(self, failure: Failure, *, now: datetime) -> Self:
        return replace(
            self,
            state=StepState.FAILED,
            error=failure.code,
            log=_line(failure.message),
            ended_at=now,
        )

    def skip(self) -> Self:
        return replace(self.anew(), state=StepState.SKIPPED)


def _line(text: str) -> str:
    """What may come from a hostile file, in one line that is safe to store and to show."""
    clean = text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    return " ".join(clean.split())[:MAX_LOG]


Steps: TypeAlias = Sequence[Step]


def continued(before: Steps, plan: Sequence[Planned]) -> tuple[Step, ...]:
    """The steps of `plan`, of which those keep their results that were done before.

    Not so when it was by another version, nor when they are ordered after one that is new here.
    One that is run again as it was, because its result was lost, gives the same.
    """
    known = {step.processor: step for step in before}
    steps: list[Step] = []
    renewed: set[str] = set()
    for each in plan:
        old = known.get(each.processor)
        if old is None or old.version != each.version or renewed & each.after:
            old = Step(processor=each.processor, version=each.version)
            renewed.add(each.processor)
        steps.append(old if old.is_done else old.anew())
    return tuple(steps)


def resumed(before: Steps) -> tuple[Step, ...]:
    """The steps of a job that goes on where another gave up."""
    return tuple(step if step.is_done else step.anew() for step in before)


def is_mended(before: Steps, plan: Sequence[Planned]) -> bool:
    """Whether another version now stands for the step that failed."""
    versions = {each.processor: each.version for each in plan}
    failed = (step for step in before if step.state is StepState.FAILED)
    return any(versions.get(step.processor, step.version) != step.version for step in failed)


def begun(steps: Steps, attempt: int, *, now: datetime) -> tuple[Step, ...]:
    """The first that waits is running."""
    waiting = (i for i, step in enumerate(steps) if step.state is StepState.WAITING)
    nth = next(waiting, None)
    return tuple(step.start(attempt, now=now) if i == nth else step for i, step in enumerate(steps))


def ended(steps: Steps, result: StepResult, log: str, *, now: datetime) -> tuple[Step, ...]:
    """The one that runs is done."""
    return tuple(
        step.done(result, log, now=now) if step.state is StepState.RUNNING else step
        for step in steps
    )


def concluded(
    steps: Steps, results: Mapping[str, StepResult], log: str, *, now: datetime
) -> tuple[Step, ...]:
    """All are done, the one that runs just now, with these results by their processors."""
    return tuple(
        each.done(results[each.processor], log, now=now)
        if each.state is StepState.RUNNING
        else replace(each, result=results[each.processor])
        for each in steps
    )


def failed(steps: Steps, failure: Failure, *, now: datetime) -> tuple[Step, ...]:
    """The one that runs has failed."""
    return tuple(
        step.fail(failure, now=now) if step.state is StepState.RUNNING else step for step in steps
    )


def given_up(steps: Steps) -> tuple[Step, ...]:
    """None of those that wait will be run."""
    return tuple(step.skip() if step.state is StepState.WAITING else step for step in steps)


def interrupted(steps: Steps) -> tuple[Step, ...]:
    """The one that ran waits again: nothing was wrong with it."""
    return tuple(step.anew() if step.state is StepState.RUNNING else step for step in steps)


def running(steps: Steps) -> Step | None:
    return next((step for step in steps if step.state is StepState.RUNNING), None)


def without(steps: Steps, lost: Collection[str]) -> tuple[Step, ...]:
    """Those of `lost` have to be run again, and the one that runs waits for them."""
    return tuple(
        step.anew() if step.processor in lost or step.state is StepState.RUNNING else step
        for step in steps
    )
