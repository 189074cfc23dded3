"""Why a file was found: pieces of what it says, with the words marked, safe to put in a page."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from docstore.domain.file import File
from docstore.domain.searching import Span, composed, said_of, spans

AROUND: Final = 60  # characters before and after what is marked
MAX_MARKS: Final = 10  # in one piece


def highlight(file: File, words: Sequence[str]) -> str:
    """HTML with every special character escaped, in which <mark> is the only element."""
    return " … ".join(_pieces(file, words))


def _pieces(file: File, words: Sequence[str]) -> Iterable[str]:
    for text in map(composed, said_of(file)):
        if found := spans(text, words):
            yield _piece(text, found)


def _piece(text: str, found: Sequence[Span]) -> str:
    """What stands around the first word, and those others that are near."""
    start, end = max(0, found[0][0] - AROUND), found[0][1] + AROUND
    near = [span for span in found if span[1] <= end][:MAX_MARKS]
    shown, place = "…" if start else "", start
    for first, last in near:
        shown += f"{escape(text[place:first])}<mark>{escape(text[first:last])}</mark>"
        place = last
    return shown + escape(text[place:end]) + ("…" if end < len(text) else "")
