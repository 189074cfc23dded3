import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.entrypoints.http.ranges import Span, known, requested
from docstore.entrypoints.http.refusals import RangeNotSatisfiable

SIZES = st.integers(0, 10**6)
PLACES = st.integers(0, 10**7)


def bytes_of(span: Span | None, size: int) -> range:
    return range(size) if span is None else range(span.start, span.start + span.length)


@given(first=PLACES, last=PLACES, size=SIZES)
def test_a_range_is_what_the_standard_says(first: int, last: int, size: int) -> None:
    value = f"bytes={first}-{last}"
    wanted = range(size)[first : last + 1]
    if last < first:
        assert requested(value, size) is None  # no range at all
    elif wanted:
        assert bytes_of(requested(value, size), size) == wanted
    else:
        with pytest.raises(RangeNotSatisfiable):
            requested(value, size)


@given(length=PLACES, size=SIZES)
def test_a_suffix_is_the_end(length: int, size: int) -> None:
    wanted = range(size)[-length:] if length else range(0)
    if wanted:
        span = requested(f"bytes=-{length}", size)
        assert span is not None
        assert bytes_of(span, size) == wanted
    else:
        with pytest.raises(RangeNotSatisfiable):
            requested(f"bytes=-{length}", size)


@given(value=st.text(alphabet="bytes=0123456789-, \t", max_size=30), size=SIZES)
def test_whatever_is_sent_stays_inside(value: str, size: int) -> None:
    try:
        span = requested(value, size)
    except RangeNotSatisfiable:
        return
    if span is not None:
        assert 0 <= span.start < span.start + span.length <= size == span.size


@given(value=st.text(max_size=60))
def test_conditions_of_any_shape_are_read(value: str) -> None:
    assert known(value, '"x"') in (True, False)
    assert known(f'"{value.replace(chr(34), "")}" , W/"x"', '"x"')
