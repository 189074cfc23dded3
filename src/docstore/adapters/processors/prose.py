"""What every text goes through before it is kept, whatever format it came from."""

import re
from collections.abc import Mapping
from typing import Final

from docstore.domain.findings import Json, Notice

PREVIEW: Final = 280  # characters

# Single character classes: linear whatever the text.
_BROKEN: Final = re.compile("[\ud800-\udfff]")  # surrogates without their other half
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_PILE: Final = re.compile("([\u0300-\u036f]{16})[\u0300-\u036f]+")  # marks upon marks upon marks


def clean(text: str) -> str:
    """Without what a database, a terminal or a page would choke on."""
    text = _CONTROL.sub("", _BROKEN.sub("\ufffd", text))
    return _PILE.sub(r"\1", text.replace("\r\n", "\n").replace("\r", "\n"))


def cut(text: str, limit: int) -> tuple[str, list[Notice]]:
    """The text within `limit` characters, and what the owner should know if it was not."""
    if len(text) <= limit:
        return text, []
    message = f"only the first {limit} characters were kept (DOCSTORE_MAX_TEXT_CHARACTERS)"
    return text[:limit], [Notice("truncated", message)]


def describe(text: str, language: str | None) -> Mapping[str, Json]:
    """The facts that `extracted.text` holds."""
    return {
        "characters": len(text),
        "words": len(text.split()),
        "language": language,
        "preview": preview(text),
    }


def preview(text: str) -> str:
    """How it begins, on one line."""
    beginning = " ".join(text[: 16 * PREVIEW].split())
    return beginning[:PREVIEW].rstrip()
