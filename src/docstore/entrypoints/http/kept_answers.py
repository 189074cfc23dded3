"""Answers about files, for those who ask the same again: whoever watches a file, or shows a few."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from docstore.domain.ids import FileId, UserId
from docstore.domain.versions import Versions
from docstore.entrypoints.http.answers import Answer

MOST: Final = 8 * 1024 * 1024  # bytes, of all that are kept
LARGEST: Final = 16 * 1024  # of one
OVERHEAD: Final = 2048  # that each takes beside its body, with the versions, about


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, and which versions of its file and jobs it tells of."""

    answer: Answer
    versions: Versions

    @property
    def size(self) -> int:
        return len(self.answer.body) + OVERHEAD


class KeptAnswers:
    """The latest answer that each owner got about each file, as far as there is room. Those that
    nobody asks for are the first to go.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[UserId, FileId], Kept] = OrderedDict()
        self._size = 0

    def get(self, owner: UserId, file_id: FileId) -> Kept | None:
        """To be given again only while its versions are those of the rows."""
        kept = self._kept.get((owner, file_id))
        if kept is not None:
            self._kept.move_to_end((owner, file_id))
        return kept

    def keep(self, owner: UserId, file_id: FileId, kept: Kept) -> None:
        self._drop((owner, file_id))
        if len(kept.answer.body) > LARGEST:
            return
        self._kept[owner, file_id] = kept
        self._size += kept.size
        while self._size > MOST:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[UserId, FileId]) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self._size -= dropped.size
