"""What kind of filesystem a folder is on, which tells how long a call to it may take."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_MOUNTS: Final = Path("/proc/self/mountinfo")
_IN_MEMORY: Final = frozenset({"ramfs", "tmpfs"})
_LOCAL: Final = frozenset(
    {"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "xfs", "zfs", *_IN_MEMORY}
)


@dataclass(frozen=True, slots=True)
class Mount:
    """A filesystem that is not known by name may be on a network, and a call to it take long."""

    kind: str | None  # as the kernel calls it

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The one that `folder` is on."""
        return cls(kind_of(folder))

    @property
    def is_local(self) -> bool:
        """Whether opening a file, or writing to the cache, ends soon."""
        return self.kind in _LOCAL

    @property
    def is_in_memory(self) -> bool:
        """Whether reading never waits for a disk, and need not be asked about it."""
        return self.kind in _IN_MEMORY


def kind_of(folder: Path) -> str | None:
    """The kind of filesystem that it is on; None where the kernel does not tell."""
    try:
        device = os.stat(folder).st_dev
        lines = _MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    wanted = f"{os.major(device)}:{os.minor(device)}"
    return next((kind for place, kind in map(_read, lines) if place == wanted), None)


def _read(line: str) -> tuple[str, str]:
    """Device and kind: `36 35 98:0 /mnt1 /mnt2 rw - ext3 /dev/root rw` (proc(5)), where optional
    fields stand before the dash.
    """
    before, _, after = line.partition(" - ")
    return before.split()[2], after.split()[0]
