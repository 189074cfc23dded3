from collections.abc import Iterator
from datetime import timedelta

import pytest

from docstore.domain import errors
from docstore.domain.errors import DocstoreError
from docstore.domain.failure import Failure, FailureCode


def tree(root: type[DocstoreError] = DocstoreError) -> Iterator[type[DocstoreError]]:
    yield root
    for branch in root.__subclasses__():
        yield from tree(branch)


def test_only_what_is_unavailable_is_worth_the_same_call() -> None:
    retryable = {kind for kind in tree() if kind.retryable}
    assert retryable == set(tree(errors.Unavailable))


def test_codes_are_slugs_and_said_by_one_error_each() -> None:
    own = [kind.code for kind in tree() if "code" in vars(kind)]
    assert len(own) == len(set(own))
    assert all(code == code.lower() and " " not in code for code in own)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            errors.InvalidField(("title", "too long"), ("tags", "empty")),
            "title: too long; tags: empty",
        ),
        (errors.TooLarge(9, "DOCSTORE_MAX_UPLOAD_BYTES"), "9 bytes, the limit set by DOCSTORE_MAX"),
        (errors.NotFound("file", 7), "no file 7"),
        (errors.RateLimited(timedelta(seconds=30)), "in 30 s"),
        (errors.ProcessingFailed(FailureCode.TIMEOUT, "too slow"), "too slow"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_they_say(error: DocstoreError, words: str) -> None:
    assert words in str(error)


@pytest.mark.parametrize(
    ("code", "again", "by_hand"),
    [
        ("corrupt", False, False),
        ("archive_too_large", False, False),
        ("too_many_pixels", False, False),
        ("timeout", False, True),
        ("memory", False, True),
        ("crashed", True, True),
        ("output_too_large", False, False),
        ("unavailable", True, True),
    ],
)
def test_what_a_failure_means_for_trying_again(code: str, again: bool, by_hand: bool) -> None:
    failure = Failure(FailureCode(code), "why")
    assert (not failure.is_final, failure.retryable) == (again, by_hand)
    assert failure.is_crash is (code == "crashed")


def test_a_failure_says_nothing_that_a_database_refuses() -> None:
    said = Failure(FailureCode.CORRUPT, "a\x00b\ud800" + "c" * 1000).message
    assert said.startswith("a\ufffdb?c")
    assert len(said) == 500
