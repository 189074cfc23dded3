from collections.abc import Hashable

import pytest

from docstore.entrypoints.http import kept_answers
from docstore.entrypoints.http.answers import Answer
from docstore.entrypoints.http.kept_answers import LARGEST, OVERHEAD, KeptAnswers


def answers(mark: Hashable | None = 1) -> KeptAnswers:
    return KeptAnswers(lambda: mark)


def test_an_answer_is_right_until_the_mark_changes() -> None:
    kept, answer = answers(), Answer(b"a")
    kept.keep("key", 1, answer)
    assert kept.get("key", 1) is answer
    assert kept.get("key", 2) is None
    assert kept.get("another", 1) is None


def test_where_nothing_can_be_told_nothing_is_kept() -> None:
    kept = answers()
    kept.keep("key", None, Answer(b"a"))
    assert kept.get("key", None) is None


def test_the_latest_counts() -> None:
    kept, answer = answers(), Answer(b"b")
    kept.keep("key", 1, Answer(b"a"))
    kept.keep("key", 2, answer)
    assert kept.get("key", 1) is None
    assert kept.get("key", 2) is answer


def test_a_large_one_is_not_kept() -> None:
    kept = answers()
    kept.keep("key", 1, Answer(b"x" * (LARGEST + 1)))
    assert kept.get("key", 1) is None


def test_the_oldest_goes_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "MOST", 3 * (OVERHEAD + 10))
    kept = answers()
    for number in range(4):
        kept.keep(number, 1, Answer(b"x" * 10))
    assert [kept.get(number, 1) is not None for number in range(4)] == [False, True, True, True]
    for _ in range(10):  # the same again takes no more room
        kept.keep(3, 1, Answer(b"x" * 10))
    assert [kept.get(number, 1) is not None for number in range(4)] == [False, True, True, True]
