from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.domain.errors import InvalidField
from docstore.domain.file import Details

DEEP: dict[str, Any] = {}
for _ in range(20_000):
    DEEP = {"x": DEEP}

FITTING = {
    "nothing": {},
    "title of 255": {"title": "\U0001f600" * 255},
    "empty title": {"title": ""},
    "description of 10,000": {"description": "x" * 10_000},
    "50 tags": {"tags": ["x" * 64] * 50},
    "metadata": {"metadata": {"a": [1, 2.5, None, True, {"b": "c"}]}},
    "metadata of 16 KiB": {"metadata": {"a": "x" * (16 * 1024 - len('{"a": ""}'))}},
    "metadata counted in bytes": {"metadata": {"a": "\u00e9" * 8187}},
    "metadata that spells a NUL": {"metadata": {"a": "\\u0000", "\\\\u0000": 1}},
}

BREAKING = {
    "title of 256": ({"title": "x" * 256}, ["title"]),
    "NUL in the title": ({"title": "\x00"}, ["title"]),
    "surrogate in the title": ({"title": "a\ud800"}, ["title"]),
    "description of 10,001": ({"description": "x" * 10_001}, ["description"]),
    "NUL in the description": ({"description": "a\x00b"}, ["description"]),
    "51 tags": ({"tags": ["x"] * 51}, ["tags"]),
    "a tag of 65": ({"tags": ["x", "x" * 65]}, ["tags"]),
    "an empty tag": ({"tags": ["x", ""]}, ["tags"]),
    "NUL in a tag": ({"tags": ["\x00"]}, ["tags"]),
    "metadata over 16 KiB": ({"metadata": {"a": "x" * 16 * 1024}}, ["metadata"]),
    "metadata over in bytes": ({"metadata": {"a": "\u00e9" * 8188}}, ["metadata"]),
    "NUL in metadata": ({"metadata": {"a": ["\x00"]}}, ["metadata"]),
    "NUL in a key": ({"metadata": {"a\x00": 1}}, ["metadata"]),
    "NUL after a backslash": ({"metadata": {"a": "\\\x00"}}, ["metadata"]),
    "surrogate in metadata": ({"metadata": {"a": "\ud800"}}, ["metadata"]),
    "NaN": ({"metadata": {"a": float("nan")}}, ["metadata"]),
    "infinity": ({"metadata": {"a": float("-inf")}}, ["metadata"]),
    "20,000 deep": ({"metadata": DEEP}, ["metadata"]),
    "all of them": (
        {"title": "\x00", "description": "\x00", "tags": [""], "metadata": {"": "\x00"}},
        ["title", "description", "tags", "metadata"],
    ),
}


@pytest.mark.parametrize("fields", FITTING.values(), ids=FITTING.keys())
def test_what_fits(fields: dict[str, Any]) -> None:
    details = Details(**fields)
    assert {name: getattr(details, name) for name in fields} == fields


@pytest.mark.parametrize(("fields", "named"), BREAKING.values(), ids=BREAKING.keys())
def test_each_field_that_breaks_a_rule_is_named(fields: dict[str, Any], named: list[str]) -> None:
    with pytest.raises(InvalidField) as refusal:
        Details(**fields)
    assert [field for field, _ in refusal.value.problems] == named


SHORT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\\u0\x00"), max_size=8)


@given(text=SHORT)
def test_metadata_and_title_agree_on_what_a_nul_is(text: str) -> None:
    assert _accepts(title=text) is _accepts(metadata={text: [text]}) is ("\x00" not in text)


def _accepts(**fields: Any) -> bool:
    try:
        Details(**fields)
    except InvalidField:
        return False
    return True
