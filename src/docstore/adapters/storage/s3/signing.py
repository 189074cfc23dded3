"""Links that are good for a while, for whoever has them (AWS Signature Version 4, in the query)."""

from collections.abc import Mapping
from datetime import timedelta

from minio import Minio
from minio.credentials.providers import Provider

from docstore.adapters.storage.s3.errors import s3_errors
from docstore.adapters.storage.s3.location import Location

USUAL_REGION = "us-east-1"


def signer_for(location: Location, client: Minio, credentials: Provider) -> Minio:
    """The client that signs: a host is part of what is signed, so it has to be the one that
    others know. It never connects to it, and so cannot ask for the region.
    """
    if location.public is None:
        return client
    scheme, _, host = location.public.partition("://")
    return Minio(
        host,
        secure=scheme == "https",
        region=location.region or USUAL_REGION,
        credentials=credentials,
    )


def answered_with(*, media_type: str, disposition: str) -> Mapping[str, str]:
    """What makes the store send those headers, and none that it was told at the upload."""
    return {
        "response-content-type": media_type,
        "response-content-disposition": disposition,
        "response-cache-control": "private, no-cache",
    }


def signed(
    client: Minio, bucket: str, key: str, lifetime: timedelta, answer: Mapping[str, str]
) -> str:
    """Blocks: credentials may have to be fetched, and the region asked for."""
    with s3_errors(key):
        return client.presigned_get_object(
            bucket, key, expires=lifetime, response_headers={**answer}
        )
