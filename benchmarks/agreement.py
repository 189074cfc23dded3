"""How far two readers of the same file agree on its words."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Final

FEW: Final = 400
"""Precision is asked of files in which the other found fewer words than this: beyond, its lists may
end before the file does."""

_WORD: Final = re.compile(r"\w{3,}")


def words(text: str) -> set[str]:
    """Its different words of three characters or more, in lower case."""
    return set(_WORD.findall(text.lower()))


@dataclass(frozen=True, slots=True)
class Agreement:
    """On one file. Recall and precision as in information retrieval: the other is the truth."""

    recall: float  # of the other's words, the part that we found
    precision: float | None  # of ours, the part that the other found; None: not asked
    missing: tuple[str, ...]  # the other's that we did not find

    @classmethod
    def of(cls, ours: Collection[str], theirs: Collection[str]) -> "Agreement":
        """`theirs` is not empty."""
        both = len(set(ours) & set(theirs))
        is_asked = bool(ours) and len(theirs) < FEW
        return cls(
            recall=both / len(theirs),
            precision=both / len(ours) if is_asked else None,
            missing=tuple(sorted(set(theirs) - set(ours))),
        )


def mean_recall(of: Iterable[Agreement]) -> float | None:
    return _mean(each.recall for each in of)


def mean_precision(of: Iterable[Agreement]) -> float | None:
    return _mean(each.precision for each in of if each.precision is not None)


def by_kind(of: Mapping[str, Agreement]) -> Iterator[tuple[str, list[Agreement]]]:
    """Those of each kind of file, by the alphabet; keys are the files' names."""
    kinds = sorted({kind(name) for name in of})
    for each in kinds:
        yield each, [agreement for name, agreement in of.items() if kind(name) == each]


def kind(name: str) -> str:
    """What the end of its name says it is."""
    return name.rpartition(".")[2].lower()


def _mean(numbers: Iterable[float]) -> float | None:
    found = list(numbers)
    return fmean(found) if found else None
