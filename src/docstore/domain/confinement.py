from dataclasses import dataclass
from typing import Final

FULL: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """What the kernel keeps the parsers of hostile files from."""

    level: int  # FULL; 2: one wall around files instead of two; 1: limits, and no wall at all
    detail: str  # which walls stand, which are missing and why; for an operator

    @property
    def is_full(self) -> bool:
        return self.level >= FULL
