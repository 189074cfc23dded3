from datetime import timedelta

import pytest

from docstore.domain import step as steps
from docstore.domain.failure import Failure, FailureCode
from docstore.domain.findings import Rendition
from docstore.domain.names import MediaType
from docstore.domain.step import MAX_LOG, Excerpt, Planned, Step, StepResult, StepState
from docstore.testing.builders import MOMENT, a_step

LATER = MOMENT + timedelta(seconds=1)
CRASH = Failure(FailureCode.CRASHED, "the parser\ndied")
RESULT = StepResult(facts={"text": {"words": 2}})


def plan(*names: str, **after: str) -> list[Planned]:
    """`plan("text:2", ocr="text")`: ocr is in version 1, and after text."""
    found = [name.partition(":") for name in (*names, *after)]
    return [
        Planned(
            processor=name,
            version=version or "1",
            after=frozenset(after.get(name, "").split()),
        )
        for name, _, version in found
    ]


def states(found: steps.Steps) -> list[str]:
    return [f"{step.processor} {step.state}" for step in found]


def test_a_life() -> None:
    planned = steps.continued((), plan("text", "image"))
    assert states(planned) == ["text waiting", "image waiting"]
    first = steps.begun(planned, 3, now=MOMENT)
    assert states(first) == ["text running", "image waiting"]
    assert first[0] == Step(
        processor="text", version="1", state=StepState.RUNNING, attempt=3, started_at=MOMENT
    )
    second = steps.begun(steps.ended(first, RESULT, "two words", now=LATER), 3, now=LATER)
    assert states(second) == ["text done", "image running"]
    assert (second[0].result, second[0].log, second[0].ended_at) == (RESULT, "two words", LATER)
    broken = steps.failed(second, CRASH, now=LATER)
    assert (broken[1].error, broken[1].log) == (FailureCode.CRASHED, "the parser died")
    assert steps.running(broken) is None
    assert broken[0] == second[0]


def test_the_next_attempt_goes_on_where_the_last_one_failed() -> None:
    broken = (
        a_step("text"),
        a_step("image", state=StepState.FAILED),
        a_step("ocr", state="waiting"),
    )
    again = steps.continued(broken, plan("text", "image", "ocr"))
    assert states(again) == ["text done", "image waiting", "ocr waiting"]
    assert again[0] is broken[0]
    assert again[1] == Step(processor="image", version="1"), "nothing of the failure is left"
    assert states(steps.resumed(broken)) == states(again)


@pytest.mark.parametrize(
    ("now", "to_run"),
    [
        (plan("text", "image", "ocr"), []),
        (plan("text:2", "image", "ocr"), ["text"]),
        (plan("text", "image", "new", "ocr"), ["new"]),
        (plan("text:2", "image", ocr="text"), ["text", "ocr"]),
        (plan("text:2", image="text", ocr="image"), ["text", "image", "ocr"]),
        (plan("text", "image:2", ocr="text"), ["image"]),
        (plan("text"), []),
        ([], []),
    ],
)
def test_what_an_upgrade_makes_out_of_date(now: list[Planned], to_run: list[str]) -> None:
    before = [a_step("text"), a_step("image"), a_step("ocr")]
    again = steps.continued(before, now)
    assert [step.processor for step in again] == [each.processor for each in now]
    assert [step.processor for step in again if not step.is_done] == to_run


def test_what_was_lost_is_found_again_and_costs_nothing_else() -> None:
    before = steps.without([a_step("text"), a_step("ocr")], {"text"})
    again = steps.continued(before, plan("text", ocr="text"))
    assert states(again) == ["text waiting", "ocr done"]


def test_only_another_version_of_the_one_that_failed_mends_it() -> None:
    before = [a_step("text"), a_step("image", state=StepState.FAILED)]
    assert steps.is_mended(before, plan("text", "image:2"))
    assert not steps.is_mended(before, plan("text:2", "image"))
    assert not steps.is_mended(before, plan("text:2", "new"))
    assert not steps.is_mended([a_step("text")], plan("text:2"))


def test_who_is_interrupted_waits_again_and_who_is_given_up_never_runs() -> None:
    some = steps.begun((a_step("text"), *steps.continued((), plan("a", "b"))), 1, now=MOMENT)
    assert states(steps.interrupted(some)) == ["text done", "a waiting", "b waiting"]
    ended = steps.given_up(steps.failed(some, CRASH, now=LATER))
    assert states(ended) == ["text done", "a failed", "b skipped"]


def test_whose_result_is_lost_runs_again_and_first() -> None:
    some = steps.begun((a_step("text"), *steps.continued((), plan("a"))), 1, now=MOMENT)
    lost = steps.begun(steps.without(some, {"text"}), 1, now=LATER)
    assert states(lost) == ["text running", "a waiting"]


def test_at_the_end_all_have_the_results_that_are_kept() -> None:
    some = steps.begun((a_step("text"), *steps.continued((), plan("a"))), 1, now=MOMENT)
    kept = {"text": StepResult(facts={"moved": True}), "a": RESULT}
    done = steps.concluded(some, kept, "nothing", now=LATER)
    assert {step.processor: step.result for step in done} == kept
    assert [step.ended_at for step in done] == [some[0].ended_at, LATER]


def test_what_a_result_needs() -> None:
    picture = Rendition(
        name="x", media_type=MediaType("image/png"), width=1, height=1, size=1, key="files/p"
    )
    text = Excerpt(key="files/t", start=3, size=4)
    assert StepResult(text=text, renditions=[picture]).blob_keys() == {"files/p", "files/t"}
    assert RESULT.blob_keys() == frozenset()


def test_what_a_file_says_is_one_line_that_is_safe_to_store() -> None:
    hostile = "a\r\n\x00b\ud800 " + "x" * 1000
    done = a_step("text", state=StepState.RUNNING).done(RESULT, hostile, now=LATER)
    assert done.log.startswith("a \ufffdb? x")
    assert len(done.log) == MAX_LOG
