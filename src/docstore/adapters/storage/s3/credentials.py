"""Who we are to the server. Asked for in turn: the URL, docstore's own variables, what AWS and
MinIO programs use, and the role of the machine.
"""

from typing import Final

from minio.credentials.providers import (
    AWSConfigProvider,
    ChainedProvider,
    EnvAWSProvider,
    EnvMinioProvider,
    IamAwsProvider,
    Provider,
    StaticProvider,
)
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from urllib3 import PoolManager

from docstore.adapters.storage.s3.location import Location

EMPTY: Final = SecretStr("")


class S3Settings(BaseSettings):
    """Credentials that need not stand in a URL: DOCSTORE_S3_ACCESS_KEY and so on, or `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="DOCSTORE_S3_", env_file=".env", extra="ignore", frozen=True
    )

    access_key: SecretStr = EMPTY
    secret_key: SecretStr = EMPTY
    session_token: SecretStr = EMPTY


def provider_for(location: Location, http: PoolManager) -> Provider:
    """Raises ValueError when only one half of a pair is there."""
    if location.access_key and location.secret_key:
        return StaticProvider(location.access_key, location.secret_key)
    ours = S3Settings()
    if bool(ours.access_key) != bool(ours.secret_key):
        raise ValueError("DOCSTORE_S3_ACCESS_KEY and DOCSTORE_S3_SECRET_KEY go together")
    if ours.access_key:
        words = (ours.access_key, ours.secret_key, ours.session_token)
        access_key, secret_key, token = (word.get_secret_value() for word in words)
        return StaticProvider(access_key, secret_key, token or None)
    return ChainedProvider(
        [
            EnvAWSProvider(),
            EnvMinioProvider(),
            AWSConfigProvider(),
            IamAwsProvider(http_client=http),
        ]
    )
