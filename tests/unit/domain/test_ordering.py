from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.domain.ordering import Unorderable, ordered

NAMES = ("archive", "image", "media", "ocr", "text", "words")


@st.composite
def orderable(draw: st.DrawFn) -> Mapping[str, set[str]]:
    """Each comes after some of those that a hidden order has before it."""
    hidden = draw(st.permutations(NAMES))
    return {
        name: draw(st.sets(st.sampled_from(hidden[:nth]))) if nth else set()
        for nth, name in enumerate(hidden)
    }


@given(orderable())
def test_each_comes_behind_those_that_it_names(after: Mapping[str, set[str]]) -> None:
    found = ordered(after)
    assert sorted(found) == sorted(after)
    place = {name: nth for nth, name in enumerate(found)}
    assert all(place[earlier] < place[name] for name in after for earlier in after[name])


@given(orderable(), st.data())
def test_how_they_were_found_does_not_matter(
    after: Mapping[str, set[str]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(list(after.items())))
    assert ordered(dict(shuffled)) == ordered(after)


@given(orderable(), st.data())
def test_a_circle_is_refused_by_its_names(
    after: Mapping[str, set[str]], data: st.DataObject
) -> None:
    circle = data.draw(st.permutations(NAMES))[: data.draw(st.integers(1, 4))]
    closed = {name: set(earlier) for name, earlier in after.items()}
    for name, earlier in pairwise([*circle, circle[0]]):
        closed[name].add(earlier)
    with pytest.raises(Unorderable, match=" after ") as refused:
        ordered(closed)
    named = str(refused.value).partition(": ")[2].split(" after ")
    assert named[0] == named[-1]
    assert all(earlier in closed[name] for name, earlier in pairwise(named))


def test_without_a_word_it_is_the_alphabet() -> None:
    assert ordered({"b": (), "c": (), "a": ()}) == ["a", "b", "c"]


def test_who_is_not_there_is_named_and_who_is_absent_is_passed_over() -> None:
    with pytest.raises(Unorderable, match="summary is to come after txet"):
        ordered({"text": (), "summary": ("text", "txet")})
    assert ordered({"text": (), "a": ("text", "ocr")}, absent=["ocr"]) == ["text", "a"]
