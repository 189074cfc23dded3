from dataclasses import dataclass
from datetime import timedelta

from docstore.application.ports.blob_store import SignsUrls
from docstore.domain.file import File
from docstore.domain.keys import FILES


@dataclass(frozen=True, slots=True)
class Links:
    """Links by which clients fetch originals from the store itself."""

    store: SignsUrls
    lifetime: timedelta

    async def to(self, file: File, *, disposition: str) -> str | None:
        """A link, or None while the original has not found its last place: it would break when
        processing moves the bytes.
        """
        if not file.storage_path.startswith(FILES):
            return None
        return await self.store.signed_url(
            file.storage_path,
            lifetime=self.lifetime,
            media_type=file.media_type,
            disposition=disposition,
        )
