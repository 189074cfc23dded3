from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.entrypoints.http.ranges import MOST, Span, known, requested
from docstore.entrypoints.http.refusals import RangeNotSatisfiable

SIZES = st.integers(0, 10**6)
PLACES = st.integers(0, 10**7)


def bytes_of(spans: Sequence[Span]) -> list[range]:
    return [range(span.start, span.end) for span in spans]


@given(first=PLACES, last=PLACES, size=SIZES)
def test_a_range_is_what_the_standard_says(first: int, last: int, size: int) -> None:
    value = f"bytes={first}-{last}"
    wanted = range(size)[first : last + 1]
    if last < first:
        assert not requested(value, size)  # no range at all
    elif wanted:
        assert bytes_of(requested(value, size)) == [wanted]
    else:
        with pytest.raises(RangeNotSatisfiable):
            requested(value, size)


@given(length=PLACES, size=SIZES)
def test_a_suffix_is_the_end(length: int, size: int) -> None:
    wanted = range(size)[-length:] if length else range(0)
    if wanted:
        assert bytes_of(requested(f"bytes=-{length}", size)) == [wanted]
    else:
        with pytest.raises(RangeNotSatisfiable):
            requested(f"bytes=-{length}", size)


@given(value=st.text(alphabet="bytes=0123456789-, \t", max_size=30), size=SIZES)
def test_whatever_is_sent_stays_inside(value: str, size: int) -> None:
    try:
        spans = requested(value, size)
    except RangeNotSatisfiable:
        return
    assert len(spans) <= MOST
    assert all(0 <= span.start < span.end <= size == span.size for span in spans)
    assert sum(span.length for span in spans) <= size  # never more than there is


@given(cuts=st.lists(PLACES, min_size=2, max_size=40, unique=True), data=st.data())
def test_several_come_in_the_order_asked_for(cuts: list[int], data: st.DataObject) -> None:
    cuts.sort()
    wanted = [range(*pair) for pair in zip(cuts[::2], cuts[1::2], strict=False)]
    asked = data.draw(st.permutations(wanted))
    value = "bytes=" + " ,".join(f"{part[0]}-{part[-1]}" for part in asked)
    expected = asked if len(asked) <= MOST else []
    assert bytes_of(requested(value, cuts[-1])) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bytes=0-1,4-5", [range(2), range(4, 6)]),
        ("bytes=4-5,0-1", [range(4, 6), range(2)]),
        ("bytes=,0-1,,", [range(2)]),
        ("bytes=0-1,20-30", [range(2)]),
        ("bytes=0-1,-1", [range(2), range(9, 10)]),
        ("bytes=0-5,5-6", []),
        ("bytes=0-,-1", []),
        ("bytes=0-1,x", []),
        ("bytes=0-1,5-4", []),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(10)), [range(n, n + 1) for n in range(10)]),
    ],
)
def test_of_several_ranges(value: str, expected: list[range]) -> None:
    assert bytes_of(requested(value, 10)) == expected


def test_more_ranges_than_are_served_get_the_whole() -> None:
    for count, served in ((MOST, MOST), (MOST + 1, 0)):
        value = "bytes=" + ",".join(f"{2 * n}-{2 * n}" for n in range(count))
        assert len(requested(value, 100)) == served


@given(value=st.text(max_size=60))
def test_conditions_of_any_shape_are_read(value: str) -> None:
    assert known(value, '"x"') in (True, False)
    assert known(f'"{value.replace(chr(34), "")}" , W/"x"', '"x"')
