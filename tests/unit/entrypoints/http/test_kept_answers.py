from uuid import uuid4

import pytest

from docstore.domain.ids import FileId, UserId
from docstore.domain.versions import Versions
from docstore.entrypoints.http import kept_answers
from docstore.entrypoints.http.answers import Answer
from docstore.entrypoints.http.kept_answers import LARGEST, OVERHEAD, Kept, KeptAnswers

ME, YOU = UserId(uuid4()), UserId(uuid4())
FILES = [FileId(uuid4()) for _ in range(4)]


def an_answer(body: bytes = b"0123456789", version: int = 1) -> Kept:
    return Kept(Answer(body), Versions(version, frozenset()))


def test_an_answer_is_there_for_who_got_it() -> None:
    kept, answer = KeptAnswers(), an_answer()
    kept.keep(ME, FILES[0], answer)
    assert kept.get(ME, FILES[0]) is answer
    assert kept.get(YOU, FILES[0]) is None
    assert kept.get(ME, FILES[1]) is None


def test_the_latest_counts() -> None:
    kept, answer = KeptAnswers(), an_answer(version=2)
    kept.keep(ME, FILES[0], an_answer())
    kept.keep(ME, FILES[0], answer)
    assert kept.get(ME, FILES[0]) is answer


def test_a_large_one_is_not_kept() -> None:
    kept = KeptAnswers()
    kept.keep(ME, FILES[0], an_answer(b"x" * (LARGEST + 1)))
    assert kept.get(ME, FILES[0]) is None


def test_one_that_has_grown_too_large_leaves_nothing_behind() -> None:
    kept = KeptAnswers()
    kept.keep(ME, FILES[0], an_answer())
    kept.keep(ME, FILES[0], an_answer(b"x" * (LARGEST + 1), version=2))
    assert kept.get(ME, FILES[0]) is None


def test_what_is_asked_for_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "MOST", 3 * (OVERHEAD + 10))
    kept = KeptAnswers()
    for file_id in FILES[:3]:
        kept.keep(ME, file_id, an_answer())
    kept.get(ME, FILES[0])
    kept.keep(ME, FILES[3], an_answer())
    assert [kept.get(ME, file_id) is not None for file_id in FILES] == [True, False, True, True]


def test_the_oldest_goes_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "MOST", 3 * (OVERHEAD + 10))
    kept = KeptAnswers()
    for file_id in FILES:
        kept.keep(ME, file_id, an_answer())
    assert [kept.get(ME, file_id) is not None for file_id in FILES] == [False, True, True, True]
    for _ in range(10):  # the same again takes no more room
        kept.keep(ME, FILES[3], an_answer())
    assert [kept.get(ME, file_id) is not None for file_id in FILES] == [False, True, True, True]
