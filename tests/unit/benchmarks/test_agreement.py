"""What is counted when two readers of a file are compared."""

import pytest

from agreement import FEW, Agreement, by_kind, mean_precision, mean_recall, words


def test_words_are_of_three_characters_and_have_no_case() -> None:
    assert words("The the of 2010, a_b\nGröße") == {"the", "2010", "a_b", "größe"}


def test_recall_is_of_theirs_and_precision_of_ours() -> None:
    found = Agreement.of({"one", "two", "six"}, ["one", "two", "ten", "three"])
    assert found.recall == 0.5
    assert found.precision == pytest.approx(2 / 3)
    assert found.missing == ("ten", "three")


def test_precision_is_not_asked_where_their_list_may_have_been_cut() -> None:
    theirs = [f"word{n}" for n in range(FEW)]
    assert Agreement.of({"word1"}, theirs).precision is None
    assert Agreement.of(set(), ["one"]).precision is None


def test_means_are_over_files_of_a_kind() -> None:
    one, other = Agreement.of({"one"}, ["one"]), Agreement.of(set(), ["one"])
    [(name, found)] = by_kind({"a/b.PDF": one, "c.pdf": other})
    assert name == "pdf"
    assert mean_recall(found) == 0.5
    assert mean_precision(found) == 1
    assert mean_recall([]) is None
