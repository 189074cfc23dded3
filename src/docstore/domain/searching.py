"""How people's words are compared with what a file says: in NFC, without case, part by part."""

import unicodedata
from collections.abc import Sequence

from docstore.domain.file import File

Span = tuple[int, int]


def folded(text: str) -> str:
    """`text` as it is compared. Two that differ in case or composition alone fold to one."""
    return composed(text).casefold()


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def words_of(query: str) -> Sequence[str]:
    """The words of a query, folded, each once."""
    return tuple(dict.fromkeys(folded(query).split()))


def said_of(file: File) -> Sequence[str]:
    """What people may look for: the name, the title, the description and each tag."""
    details = file.details
    texts = (file.original_filename, details.title, details.description, *details.tags)
    return [text for text in texts if text]


def searchable(file: File) -> str:
    """All of that in one text. A word has no white space, so it never spans two of them."""
    return folded("\n".join(said_of(file)))


def spans(text: str, words: Sequence[str]) -> Sequence[Span]:
    """Where folded `words` stand in the composed `text`, from left to right; those that touch
    are one."""
    origins = _origins(text)
    whole = text.casefold()
    found = sorted(
        (origins[start], origins[start + len(word) - 1] + 1)
        for word in words
        for start in _places(whole, word)
    )
    return _merged(found)


def _origins(text: str) -> Sequence[int]:
    """For each folded character the place of the one it comes from: some fold to several."""
    if len(text.casefold()) == len(text):  # none folds to nothing, so each to one
        return range(len(text))
    return [place for place, character in enumerate(text) for _ in character.casefold()]


def _places(text: str, word: str) -> Sequence[int]:
    found = []
    place = text.find(word)
    while place >= 0:
        found.append(place)
        place = text.find(word, place + len(word))
    return found


def _merged(found: Sequence[Span]) -> Sequence[Span]:
    merged: list[Span] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
