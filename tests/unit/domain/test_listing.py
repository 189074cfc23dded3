from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from docstore.domain.errors import InvalidField
from docstore.domain.listing import MAX_WORDS, FileQuery, Place, Sort
from docstore.testing import a_file
from docstore.testing.builders import MOMENT

FAR_EAST = timezone(timedelta(hours=9))


def test_one_instant_is_one_query() -> None:
    east = MOMENT.astimezone(timezone(timedelta(hours=9)))
    assert FileQuery(uploaded_after=east) == FileQuery(uploaded_after=MOMENT)
    assert str(FileQuery(uploaded_after=east).uploaded_after).endswith("+00:00")
    assert FileQuery(media_type="IMAGE/*") == FileQuery(media_type="image/*")


def test_what_leaves_nothing_out() -> None:
    assert FileQuery(sort=Sort.LARGEST).takes_all
    assert not FileQuery(q="x").takes_all


@pytest.mark.parametrize("sort", list(Sort))
def test_a_place_is_the_value_in_the_order_and_the_id(sort: Sort) -> None:
    file = a_file()
    values: dict[str, Any] = {"uploaded_at": MOMENT, "filename": "letter.txt", "size": 11}
    assert FileQuery(sort=sort).place_of(file) == Place(values[sort.field], file.id)
    assert sort == ("-" if sort.is_descending else "") + sort.field


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"tag": ""}, "tag"),
        ({"tag": "x" * 65}, "tag"),
        ({"tag": "\ud800"}, "tag"),
        ({"filename": "a\x00"}, "filename"),
        ({"filename": "x" * 256}, "filename"),
        ({"q": ""}, "q"),
        ({"q": "\u3000"}, "q"),
        ({"q": "x" * 1001}, "q"),
        ({"q": " ".join(map(str, range(MAX_WORDS + 1)))}, "q"),
        ({"media_type": "image"}, "media_type"),
        ({"media_type": "*/*"}, "media_type"),
        ({"media_type": "a/b\n"}, "media_type"),
        ({"uploaded_after": datetime(2026, 1, 1)}, "uploaded_after"),  # noqa: DTZ001
        ({"uploaded_before": datetime(2026, 1, 1)}, "uploaded_before"),  # noqa: DTZ001
        ({"uploaded_after": datetime(1, 1, 1, tzinfo=FAR_EAST)}, "uploaded_after"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        FileQuery(**asked)
    assert {name for name, _ in refused.value.problems} == {field}


def test_the_most_that_can_be_asked() -> None:
    FileQuery(tag="x" * 64, filename="x" * 255, q=" ".join(map(str, range(MAX_WORDS))))
    FileQuery(uploaded_after=datetime.min.replace(tzinfo=UTC))
