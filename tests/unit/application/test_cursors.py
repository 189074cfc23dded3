from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from docstore.application.cursors import MAX_CURSOR, Cursors
from docstore.domain.errors import InvalidField
from docstore.domain.listing import Place
from docstore.domain.names import MAX_NAME

OURS = Cursors(b"k" * 32)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=MAX_NAME)
PLACES = st.builds(
    Place,
    st.datetimes(timezones=st.just(UTC)) | TEXTS | st.integers(0, 2**63 - 1),
    st.uuids(),
)


@given(PLACES, st.text(st.characters(exclude_categories=["Cs"])))
def test_a_place_comes_back_as_it_was(place: Place, scope: str) -> None:
    cursor = OURS.seal(place, scope)
    again = OURS.open(cursor, scope)
    assert (again, type(again.value)) == (place, type(place.value))
    assert cursor.isascii()
    assert all(character.isalnum() or character in "-_" for character in cursor)


@given(PLACES, st.text(), st.text())
def test_it_is_good_for_its_scope_alone(place: Place, scope: str, other: str) -> None:
    scope, other = (text.encode("utf-8", "replace").decode() for text in (scope, other))
    assume(scope != other)
    with pytest.raises(InvalidField):
        OURS.open(OURS.seal(place, scope), other)


@given(PLACES, st.data())
def test_no_edit_is_taken(place: Place, data: st.DataObject) -> None:
    cursor = OURS.seal(place, "scope")
    start = data.draw(st.integers(0, len(cursor)))
    end = data.draw(st.integers(start, len(cursor)))
    alphabet = st.characters(codec="ascii") | st.sampled_from("=-_+/\n\x00\u00e9\uff11")
    edited = cursor[:start] + data.draw(st.text(alphabet, max_size=9)) + cursor[end:]
    assume(edited != cursor)
    with pytest.raises(InvalidField):
        OURS.open(edited, "scope")


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_nothing_made_up_is_taken(text: str) -> None:
    with pytest.raises(InvalidField) as refused:
        OURS.open(text, "scope")
    assert [field for field, _ in refused.value.problems] == ["cursor"]


def test_another_key_makes_other_cursors() -> None:
    place = Place(1, UUID(int=1))
    with pytest.raises(InvalidField):
        OURS.open(Cursors(b"x" * 32).seal(place, "s"), "s")


def test_what_is_taken_from_the_scope_is_not_given_to_the_place() -> None:
    place = Place("x", UUID(int=1))
    cursor = OURS.seal(place, "scope[")
    with pytest.raises(InvalidField):
        OURS.open(cursor, "scope")


def test_the_longest_fits_and_longer_ones_are_not_looked_at() -> None:
    longest = Place("\U0001f600" * MAX_NAME, UUID(int=1))
    assert len(OURS.seal(longest, "s")) <= MAX_CURSOR
    assert OURS.open(OURS.seal(longest, "s"), "s") == longest
    with pytest.raises(InvalidField):
        OURS.open("A" * 1_000_000, "s")


def test_a_zone_is_kept_as_an_instant() -> None:
    moment = datetime(2026, 1, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    assert OURS.open(OURS.seal(Place(moment, UUID(int=1)), "s"), "s").value == moment


def test_the_key_is_not_shown() -> None:
    assert "kkk" not in repr(OURS)
