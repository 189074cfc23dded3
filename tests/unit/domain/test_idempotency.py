from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from docstore.domain.errors import Malformed
from docstore.domain.file import Details
from docstore.domain.idempotency import (
    KEPT,
    RUNNING,
    Claim,
    IdempotencyKey,
    fingerprint,
    idempotency_key,
)
from docstore.domain.ids import LeaseToken, UserId
from docstore.testing import a_file
from docstore.testing.builders import MOMENT

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("key", ["a", "!", "~", "x" * 255, '"8e03978e-40d5"', "a,b;c=d"])
def test_visible_ascii_is_a_key(key: str) -> None:
    assert idempotency_key(key) == key


@pytest.mark.parametrize(
    "key", ["", " ", "a b", "a\t", "a\n", "\x00", "\x7f", "é", "x" * 256, "x" * 10_000]
)
def test_all_else_is_none(key: str) -> None:
    with pytest.raises(Malformed):
        idempotency_key(key)


REQUEST: dict[str, Any] = {
    "route": "/files",
    "query": "a=b",
    "details": Details(title="t", description="d", tags=("x", "y"), metadata={"k": 1, "l": [2]}),
    "files": [("a.txt", "00"), ("b.txt", "01")],
}


def test_the_same_request_has_the_same_fingerprint() -> None:
    details = replace(REQUEST["details"], metadata={"l": [2], "k": 1}, tags=["x", "y"])
    again = {**REQUEST, "details": details, "files": iter([("a.txt", "00"), ["b.txt", "01"]])}
    assert fingerprint(**again) == fingerprint(**REQUEST)
    assert len(fingerprint(**REQUEST)) == 64


@pytest.mark.parametrize(
    "change",
    [
        {"route": "/upload"},
        {"query": "a=c"},
        {"files": [("b.txt", "01"), ("a.txt", "00")]},
        {"files": [("a.txt", "00")]},
        {"files": [("a.txt", "00"), ("b.txt", "02")]},
        {"files": [("a.txt", "00"), ("c.txt", "01")]},
        {"files": [("a.txt", "00b.txt"), ("", "01")]},
        {"title": "T"},
        {"title": None},
        {"title": "", "description": "td"},
        {"tags": ("y", "x")},
        {"tags": ("xy",)},
        {"metadata": {"k": "1", "l": [2]}},
        {"metadata": {}},
    ],
)
def test_another_request_has_another(change: dict[str, Any]) -> None:
    fields = {name: value for name, value in change.items() if name not in REQUEST}
    others = {name: value for name, value in change.items() if name in REQUEST}
    other = {**REQUEST, **others, "details": replace(REQUEST["details"], **fields)}
    assert fingerprint(**other) != fingerprint(**REQUEST)


CLAIM = Claim.of(UserId(uuid4()), IdempotencyKey("key"), token=LeaseToken(uuid4()), now=MOMENT)


def test_a_running_request_holds_its_key_for_a_minute() -> None:
    assert not CLAIM.is_answered
    assert CLAIM.stands(MOMENT)
    assert CLAIM.stands(MOMENT + (RUNNING - 1) * SECOND)
    assert not CLAIM.stands(MOMENT + RUNNING * SECOND)
    assert RUNNING == 60


def test_and_longer_while_it_says_so() -> None:
    renewed = CLAIM.renewed(MOMENT + 50 * SECOND)
    assert renewed.stands(MOMENT + 109 * SECOND)
    assert not renewed.stands(MOMENT + 110 * SECOND)


def test_no_clock_that_goes_back_makes_it_hold_for_long() -> None:
    assert CLAIM.stands(MOMENT - 30 * SECOND)
    assert not CLAIM.stands(MOMENT - timedelta(hours=1))


def test_an_answer_is_kept_for_a_day() -> None:
    file = a_file(user_id=CLAIM.user_id)
    answered = CLAIM.answered("f", [file], now=MOMENT)
    assert answered.is_answered
    assert answered.files == (file,)
    assert answered.stands(MOMENT - timedelta(hours=1))
    assert answered.stands(MOMENT + timedelta(hours=24) - SECOND)
    assert not answered.stands(MOMENT + timedelta(hours=24))
    assert KEPT == 86_400
