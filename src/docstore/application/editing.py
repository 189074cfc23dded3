from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from docstore.application.again import again_when_stale
from docstore.application.ports.unit_of_work import Begin
from docstore.domain.editing import Changes, merged
from docstore.domain.errors import InvalidField, PreconditionFailed
from docstore.domain.file import File
from docstore.domain.ids import FileId, UserId


@dataclass(frozen=True, slots=True)
class Edit:
    """Change what the owner says of a file, and nothing else.

    Whatever happens to the file meanwhile, the changes are made to the file as it is then. A
    caller who means one version alone names those that will do: PreconditionFailed for any other.
    """

    begin: Begin

    async def __call__(
        self,
        *,
        owner: UserId,
        id: FileId,
        changes: Changes,
        merge: bool = False,
        versions: Collection[int] | None = None,
    ) -> File:
        """With `merge`, `metadata` is a merge patch (RFC 7396) to what is there, instead of it."""
        attempt = partial(self._try, owner, id, changes, merge, versions)
        return await again_when_stale(attempt, f"file {id}")

    async def _try(
        self,
        owner: UserId,
        id: FileId,
        changes: Changes,
        merge: bool,
        versions: Collection[int] | None,
    ) -> File:
        async with self.begin() as tx:
            file = await tx.files.owned(owner, id=id)
            if versions is not None and file.version not in versions:
                raise PreconditionFailed("it has changed since the version that was named")
            whole = _merged(file, changes) if merge else changes
            edited = file.edit(whole, now=await tx.now())
            if edited is not file:
                await tx.files.update(edited)
                await tx.commit()
        return edited


def _merged(file: File, changes: Changes) -> Changes:
    if "metadata" not in changes:
        return changes
    try:
        return {**changes, "metadata": merged(file.details.metadata, changes["metadata"])}
    except RecursionError:
        raise InvalidField(("metadata", "nested too deeply")) from None
