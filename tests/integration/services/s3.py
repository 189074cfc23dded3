"""What tests know of an S3 server, whichever it is."""

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

ACCESS_KEY: Final = "docstore-tests"
SECRET_KEY: Final = "a secret/of+tests"


@dataclass(frozen=True)
class S3Server:
    """On this machine, without TLS."""

    name: str
    port: int

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def behind(self, port: int) -> "S3Server":
        """The same one, through a proxy that listens there."""
        return replace(self, port=port)

    def url(self, bucket: str, **options: object) -> str:
        """Of a store, with its credentials."""
        query = urlencode({"secure": "false", **options})
        return f"s3://{ACCESS_KEY}:a%20secret%2Fof%2Btests@{self.endpoint}/{bucket}?{query}"
