"""Queries by themselves: understood as they are meant, or refused."""

from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Request
from litestar.testing import RequestFactory

from docstore.domain.errors import InvalidField
from docstore.entrypoints.http.listing import Listing
from docstore.entrypoints.http.queries import MAX_PARAMETERS, read_query
from docstore.entrypoints.http.uploads import RawQuery

NAMES: Final = [*Listing.model_fields, *RawQuery.model_fields, "", "x"]
TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def asking(query: bytes) -> Request[Any, Any, Any]:
    request = RequestFactory().get("/")
    request.scope["query_string"] = query
    return request


@given(st.binary(max_size=60) | st.text("abq=&%+;0123456789f_.", max_size=60).map(str.encode))
def test_anything_is_read_or_refused(query: bytes) -> None:
    for model in (Listing, RawQuery):
        with suppress(InvalidField):
            assert isinstance(read_query(asking(query), model), model)


@given(st.lists(st.tuples(st.sampled_from(NAMES), TEXT), max_size=5))
def test_what_is_taken_is_what_was_sent(pairs: list[tuple[str, str]]) -> None:
    try:
        read = read_query(asking(urlencode(pairs).encode()), RawQuery)
    except InvalidField:
        names = [name for name, _ in pairs if name != "tags"]
        assert len(set(names)) < len(names) or set(names) - RawQuery.model_fields.keys()
    else:
        assert read.tags == [value for name, value in pairs if name == "tags"]
        said = {name: value for name, value in pairs if name != "tags"}
        assert read.model_dump(exclude={"tags"}, exclude_unset=True) == said


@given(page=st.text(max_size=6) | st.integers(-5, 10**12).map(str) | st.floats().map(str))
def test_a_page_is_written_in_digits_alone(page: str) -> None:
    try:
        query = asking(f"page={quote(page, errors='replace')}".encode())
        read = read_query(query, Listing)
    except InvalidField:
        return
    assert page.isascii()
    assert page.isdigit()
    assert read.page == int(page) > 0


def test_very_many_parameters_are_too_many() -> None:
    most = [("tags", "t")] * MAX_PARAMETERS
    assert len(read_query(asking(urlencode(most).encode()), RawQuery).tags) == MAX_PARAMETERS
    with pytest.raises(InvalidField):
        read_query(asking(urlencode([*most, ("tags", "t")]).encode()), RawQuery)
