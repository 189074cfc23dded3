"""What the clients know: the facts that docstore has acknowledged, and nothing else."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from docstore.domain.file import File
from docstore.domain.ids import FileId, UserId


@dataclass(frozen=True, slots=True)
class Promise:
    """A file whose upload was acknowledged."""

    owner: UserId
    sha256: str
    size: int
    mood: bytes  # see extractor


@dataclass(slots=True)
class History:
    acknowledged: dict[FileId, Promise] = field(default_factory=dict)
    deleting: Counter[FileId] = field(default_factory=Counter)  # deletes sent; any may take effect
    deleted: set[FileId] = field(default_factory=set)  # a delete was acknowledged
    processed: set[FileId] = field(default_factory=set)  # were shown as processed once
    leaving: set[UserId] = field(default_factory=set)  # the deletion of an account was sent

    def uploaded(self, owner: UserId, files: Sequence[File], bodies: Iterable[bytes]) -> None:
        """The 201: note what was *sent*, not what docstore says of it."""
        for file, body in zip(files, bodies, strict=True):
            self.acknowledged[file.id] = Promise(
                owner, sha256(body).hexdigest(), len(body), body[:1]
            )

    def of(self, owner: UserId) -> Sequence[FileId]:
        """What the owner could ask for, deleted files included, in the order of upload."""
        return [i for i, promise in self.acknowledged.items() if promise.owner == owner]

    def may_be_gone(self, file_id: FileId, owner: UserId) -> bool:
        return self.deleting[file_id] > 0 or owner in self.leaving

    @property
    def owed(self) -> Sequence[FileId]:
        """What must be there."""
        return [i for i, p in self.acknowledged.items() if not self.may_be_gone(i, p.owner)]
