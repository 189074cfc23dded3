"""Which bucket a key lies in, and how buckets come to be."""

from collections.abc import Sequence
from dataclasses import dataclass

from minio import Minio
from minio.error import S3Error

from docstore.adapters.storage.s3.errors import BUCKET_THERE, s3_errors
from docstore.domain.errors import Unavailable
from docstore.domain.keys import STAGING


@dataclass(frozen=True, slots=True)
class Buckets:
    """Two areas, in two buckets or in one and the same."""

    client: Minio
    permanent: str
    staging: str

    @property
    def all(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys((self.permanent, self.staging)))

    def of(self, key: str) -> str:
        return self.staging if key.startswith(STAGING) else self.permanent

    def with_keys(self, prefix: str) -> Sequence[str]:
        """Where keys that begin with `prefix` may lie."""
        if STAGING.startswith(prefix):
            return self.all
        return (self.of(prefix),)

    # Each of these blocks.

    def missing(self) -> Sequence[str]:
        with s3_errors("buckets"):
            return [name for name in self.all if not self.client.bucket_exists(name)]

    def require(self) -> None:
        """Unavailable unless all are there."""
        if missing := self.missing():
            raise Unavailable(f"there is no bucket {' or '.join(missing)}; see docstore migrate")

    def make(self) -> None:
        """Those that are missing."""
        for name in self.missing():
            with s3_errors(name):
                try:
                    self.client.make_bucket(name)
                except S3Error as error:
                    if error.code not in BUCKET_THERE:  # else somebody was faster
                        raise
