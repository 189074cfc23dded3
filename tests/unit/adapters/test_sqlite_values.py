"""What stands in a file of SQLite is what SQLAlchemy reads and writes there, to the letter."""

from datetime import UTC, datetime
from math import isnan
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Uuid
from sqlalchemy.dialects import sqlite

from docstore.adapters.persistence.sql.inline.values import (
    read_json,
    read_moment,
    read_uuid,
    written_moment,
)
from docstore.adapters.persistence.sql.sqlite import options
from docstore.adapters.persistence.sql.tables import UtcDateTime

DIALECT = sqlite.dialect()
NAIVE = datetime(2026, 1, 2)  # noqa: DTZ001 (that is what is to be refused)
MOMENTS = st.datetimes(
    min_value=NAIVE.replace(1900), max_value=NAIVE.replace(9000), timezones=st.timezones()
)


@given(MOMENTS)
def test_moments(moment: datetime) -> None:
    write = UtcDateTime().dialect_impl(DIALECT).bind_processor(DIALECT)
    read = UtcDateTime().dialect_impl(DIALECT).result_processor(DIALECT, None)
    assert write is not None
    assert read is not None
    text = written_moment(moment)
    assert text == write(moment)
    assert text is not None
    # In UTC, since a moment in a fold is equal to none of another zone (PEP 495).
    assert read_moment(text) == read(text) == moment.astimezone(UTC)
    assert read_moment(text).tzinfo is UTC


def test_no_moment() -> None:
    assert written_moment(None) is None


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        written_moment(NAIVE)


@given(st.uuids())
def test_ids(ident: UUID) -> None:
    write = Uuid().dialect_impl(DIALECT).bind_processor(DIALECT)
    assert write is not None
    assert read_uuid(write(ident)) == ident


WRITE = options({})["json_serializer"]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(VALUES)
def test_json(value: object) -> None:
    assert read_json(WRITE(value)) == value


@pytest.mark.parametrize("value", ["\ud800", {"a\udfff": []}, 2**70, -(2**70), float("inf"), 1e308])
def test_what_is_hardly_json(value: object) -> None:
    assert read_json(WRITE(value)) == value


def test_what_is_no_number() -> None:
    assert isnan(read_json(WRITE(float("nan"))))
