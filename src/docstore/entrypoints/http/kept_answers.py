"""Answers that stay right for as long as nobody commits anything.

Who watches a file, or shows the same few again and again, asks for what was answered a moment ago.
Whether it is still so is one look at a number where the database is a file of SQLite.
"""

from collections.abc import Callable, Hashable
from typing import Final

from docstore.entrypoints.http.answers import Answer

MOST: Final = 4 * 1024 * 1024  # bytes, of all that are kept
LARGEST: Final = 16 * 1024  # of one
OVERHEAD: Final = 1024  # that each takes beside its body


class KeptAnswers:
    """`mark` says which state of the database this is: what it returns is equal to an earlier one
    only if nobody has committed in between. None: it cannot tell, and nothing is kept.
    """

    def __init__(self, mark: Callable[[], Hashable | None]) -> None:
        self.mark = mark
        self._kept: dict[Hashable, tuple[Hashable, Answer]] = {}
        self._size = 0

    def get(self, key: Hashable, mark: Hashable | None) -> Answer | None:
        """The answer to `key`, if it is that of `mark`, which is the state now."""
        found = self._kept.get(key)
        return found[1] if found is not None and found[0] == mark else None

    def keep(self, key: Hashable, mark: Hashable | None, answer: Answer) -> None:
        """`mark` is from before the database was asked for what the answer says."""
        if mark is None or len(answer.body) > LARGEST:
            return
        self._drop(key)
        self._kept[key] = (mark, answer)
        self._size += _size_of(answer)
        while self._size > MOST:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._size -= _size_of(found[1])


def _size_of(answer: Answer) -> int:
    return len(answer.body) + OVERHEAD
