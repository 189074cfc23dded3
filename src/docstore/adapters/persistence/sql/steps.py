"""A job's steps as the JSON of one column. They are read and written whole, with their job."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from docstore.domain.failure import FailureCode
from docstore.domain.findings import Notice, Rendition
from docstore.domain.step import Excerpt, Step, StepResult, StepState


def from_steps(steps: Sequence[Step]) -> list[Mapping[str, Any]]:
    return [_from_step(step) for step in steps]


def to_steps(column: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    return tuple([_to_step(**each) for each in column])


def _from_step(step: Step) -> Mapping[str, Any]:
    return {
        "processor": step.processor,
        "version": step.version,
        "state": step.state.value,
        "attempt": step.attempt,
        "started_at": step.started_at and step.started_at.isoformat(),
        "ended_at": step.ended_at and step.ended_at.isoformat(),
        "error": step.error and step.error.value,
        "log": step.log,
        "result": step.result and _from_result(step.result),
    }


def _from_result(result: StepResult) -> Mapping[str, Any]:
    return {
        "facts": dict(result.facts),
        "text": result.text and asdict(result.text),
        "renditions": [asdict(rendition) for rendition in result.renditions],
        "warnings": [asdict(notice) for notice in result.warnings],
        "media_type": result.media_type,
    }


def _to_step(
    *,
    state: str,
    started_at: str | None,
    ended_at: str | None,
    error: str | None,
    result: Mapping[str, Any] | None,
    **plain: Any,
) -> Step:
    return Step(
        state=StepState(state),
        started_at=_to_moment(started_at),
        ended_at=_to_moment(ended_at),
        error=FailureCode(error) if error else None,
        result=_to_result(**result) if result else None,
        **plain,
    )


def _to_result(
    *,
    text: Mapping[str, Any] | None,
    renditions: Sequence[Mapping[str, Any]],
    warnings: Sequence[Mapping[str, Any]],
    **plain: Any,
) -> StepResult:
    return StepResult(
        text=Excerpt(**text) if text else None,
        renditions=tuple([Rendition(**rendition) for rendition in renditions]),
        warnings=tuple([Notice(**notice) for notice in warnings]),
        **plain,
    )


def _to_moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
