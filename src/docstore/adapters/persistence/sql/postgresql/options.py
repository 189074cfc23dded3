"""What docstore asks of PostgreSQL beyond where it is."""

from typing import Annotated, Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(gt=0, le=3600)]

PREFIX: Final = "DOCSTORE_DATABASE_"


class Options(BaseSettings):
    """Read from DOCSTORE_DATABASE_* variables or `.env`, like all settings. Frozen."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True
    )

    password: SecretStr = Field(
        default=SecretStr(""),
        description="Password, when the URL has none; else PGPASSWORD or ~/.pgpass.",
    )
    pool_size: int = Field(
        default=10, ge=1, le=1000, description="Most connections of one process."
    )
    wait: Annotated[float, Field(gt=0, le=60)] = Field(
        default=4.0,
        description="Seconds to wait for a connection, whether a free or a new one, and for a "
        "sign of life from the server's machine.",
    )
    lock_timeout: Seconds = Field(default=3.0, description="Seconds to wait for a row's lock.")
    statement_timeout: Seconds = Field(
        default=30.0, description="Seconds that one statement may take."
    )
    idle_timeout: Seconds = Field(
        default=10.0,
        description="Seconds that a transaction may do nothing before the server ends it.",
    )
