from typing import Any

import pytest

from docstore.entrypoints.demo.findings import found, preview, readable_size, short_type

BARE: dict[str, Any] = {"error": None, "extracted": None, "renditions": [], "warnings": []}


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (10 * 1024, "10 KiB"),
        (1536 * 1024, "1.5 MiB"),
        (5 * 1024**5, "5120 TiB"),
    ],
)
def test_sizes_are_for_people(size: int, shown: str) -> None:
    assert readable_size(size) == shown


@pytest.mark.parametrize(
    ("extracted", "words"),
    [
        (None, "nothing to read"),
        ({"text": None, "image": None}, "nothing to read"),
        ({"text": {"words": 1, "language": None}}, "1 word"),
        ({"text": {"words": 1200, "language": "en"}}, "1,200 words (en)"),
        ({"text": {"words": 2}, "document": {"pages": 3}}, "2 words, 3 pages"),
        ({"document": {"pages": None}}, "nothing to read"),
        ({"image": {"width": 4, "height": 3, "exif": {}}}, "4 x 3 px"),
        ({"image": {"width": 4, "height": 3, "exif": {"a": 1}}}, "4 x 3 px, 1 EXIF field"),
        ({"archive": {"entries": 2}}, "2 entries"),
    ],
)
def test_what_was_found(extracted: Any, words: str) -> None:
    assert found({**BARE, "extracted": extracted}) == words


def test_renditions_and_warnings_are_told() -> None:
    view = {**BARE, "renditions": [{"name": "thumbnail"}, {"name": "preview"}]}
    view["warnings"] = [{"code": "truncated", "message": "cut"}]
    assert found(view) == "thumbnail + preview, warning: truncated"


def test_a_failure_is_told_instead() -> None:
    error = {"code": "corrupt", "message": "no PDF", "retryable": False}
    assert found({**BARE, "error": error}) == "corrupt: no PDF"


@pytest.mark.parametrize(
    ("text", "shown"),
    [(None, ""), ({"preview": None}, ""), ({"preview": "a\n  b"}, "a b")],
)
def test_the_preview_is_one_line(text: Any, shown: str) -> None:
    assert preview({**BARE, "extracted": {"text": text}}) == shown


def test_a_long_preview_is_cut() -> None:
    assert preview({**BARE, "extracted": {"text": {"preview": "abcdef"}}}, length=4) == "abc…"


def test_long_types_lose_their_middle() -> None:
    assert short_type("image/png") == "image/png"
    long = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    assert short_type(long) == "application/…wordprocessingml.document"
