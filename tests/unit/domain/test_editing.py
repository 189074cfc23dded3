from datetime import timedelta
from typing import Any

import pytest

from docstore.domain.editing import Changes, merged
from docstore.domain.errors import InvalidField
from docstore.domain.file import Details
from docstore.testing import a_file
from docstore.testing.builders import MOMENT

LATER = MOMENT + timedelta(seconds=1)
SAID = Details(title="t", description="d", tags=("a",), metadata={"k": 1})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": "new"}, {"title": "new"}),
        ({"title": None}, {"title": None}),
        ({"description": None}, {"description": None}),
        ({"tags": ["x", "y"]}, {"tags": ("x", "y")}),
        ({"tags": []}, {"tags": ()}),
        ({"metadata": {}}, {"metadata": {}}),
    ],
)
def test_an_edit_changes_what_it_names(changes: Changes, expected: dict[str, Any]) -> None:
    file = a_file(details=SAID)
    edited = file.edit(changes, now=LATER)
    now = {name: getattr(edited.details, name) for name in expected}
    assert now == expected
    for name in {"title", "description", "tags", "metadata"} - changes.keys():
        assert getattr(edited.details, name) == getattr(SAID, name)
    assert (edited.version, edited.updated_at) == (file.version + 1, LATER)
    assert (edited.status, edited.original_filename) == (file.status, file.original_filename)


def test_a_new_name_is_cleaned() -> None:
    edited = a_file(details=SAID).edit({"filename": "a/b\x00.txt"}, now=LATER)
    assert (edited.original_filename, edited.details) == ("b.txt", SAID)


@pytest.mark.parametrize(
    "changes",
    [{}, {"title": "t"}, {"tags": ["a"]}, {"metadata": {"k": 1}}, {"filename": "x/letter.txt"}],
)
def test_an_edit_that_says_nothing_new_is_none(changes: Changes) -> None:
    file = a_file(details=SAID)
    assert file.edit(changes, now=LATER) is file


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"title": "x" * 256}, "title"), ({"filename": "/"}, "filename"), ({"tags": [""]}, "tags")],
)
def test_an_edit_keeps_the_rules(changes: Changes, field: str) -> None:
    with pytest.raises(InvalidField, match=field):
        a_file().edit(changes, now=LATER)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # RFC 7396, appendix A, as far as both are objects or the target is none
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patches(target: Any, patch: Any, result: Any) -> None:
    assert merged(target, patch) == result
