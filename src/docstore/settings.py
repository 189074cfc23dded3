"""Every setting of docstore, with its default, read from DOCSTORE_* variables or `.env`."""

import os
import re
from collections.abc import Iterable
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from docstore.domain.rates import Rate

Seconds = Annotated[float, Field(gt=0)]

OFF: Final = "off"
MASK: Final = "********"
_PASSWORD: Final = re.compile(r"(?<=://)([^/@:]*):.*(?=@)")
"""In a URL; up to the last @, since one that should have been percent-encoded may not be."""
MIN_SECRET: Final = 32  # bytes; HS256 wants a key as long as its hash (RFC 7518 3.2)


class Settings(BaseSettings):
    """One URL per port: the scheme picks the adapter. Frozen: made once, at the start."""

    model_config = SettingsConfigDict(
        env_prefix="DOCSTORE_", env_file=".env", extra="ignore", frozen=True
    )

    # Where things are
    data_dir: Path = Field(
        Path("docstore-data"), description="Folder of the embedded database, files and secret."
    )
    database_url: str = Field(
        "", description="Default: sqlite, in the data directory. `memory://` for tests."
    )
    storage_url: str = Field(
        "", description="Default: file, in the data directory. `memory://` for tests."
    )
    queue_url: str = Field(
        "",
        description="Default: memory://, inside the worker's process. redis://host:port/database "
        "for many workers (docs/redis.md).",
    )
    rate_limits_url: str = Field(
        "",
        description="Default: that of the queue when it is in Redis; else memory://, inside the "
        "API's process, or when there are several: sqlite, in the data directory.",
    )
    durability: Literal["full", "relaxed"] = Field(
        "full",
        description="full: what was acknowledged survives power loss (fsync). relaxed: "
        "it survives a crash of the program only.",
    )

    # HTTP
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    http_prefix: str = Field("", description="Path under which the API is mounted, such as /api.")
    api_processes: int = Field(
        0,
        ge=0,
        le=64,
        description="Processes that serve HTTP. 0: two on SQLite where there is more than one "
        "core, else one.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Networks of the proxies whose X-Forwarded-For is believed, comma-separated.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Origins that browsers may call from, comma-separated."
    )
    drain_timeout: Seconds = Field(
        30.0, description="Seconds that running requests get to finish on SIGTERM."
    )
    receive_timeout: Seconds = Field(
        60.0, description="Seconds without a byte of a request's body before it is given up."
    )

    # Accounts
    jwt_secret: str = Field(
        "",
        repr=False,
        description="At least 32 bytes. Default: made on first start, kept in the data directory.",
    )
    token_lifetime: int = Field(3600, ge=1, le=31_536_000, description="Seconds a sign-in lasts.")
    registration: Literal["open", "closed"] = Field(
        "open", description="Whether anybody may register over HTTP."
    )
    login_rate: str = Field(
        "10/minute",
        description="Most wrong passwords for one account, and from one client address; per "
        "second or minute.",
    )

    # Uploads
    max_upload_bytes: int = Field(
        1024**3, ge=1, description="Largest file accepted, in bytes. Exactly that much passes."
    )
    max_upload_files: int = Field(20, ge=1, le=1000, description="Most files in one form.")
    allowed_media_types: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Types accepted, comma-separated, image/* allowed. Default: all."
    )
    upload_rate: str = Field(
        "1000/minute",
        description="Most files that one user may upload; per second, minute, hour or day, or off.",
    )

    # Downloads
    redirects: Literal["on", "off"] = Field(
        "off",
        description="on: ?redirect=true on a file's content is answered with a link to the store, "
        "which must be one that signs links, such as S3.",
    )
    redirect_seconds: int = Field(
        60, ge=1, le=604_800, description="Seconds that such a link is good for."
    )

    # Background work
    workers: int = Field(
        0, ge=0, le=1024, description="Jobs that a worker runs at once. 0: one per core."
    )
    worker_name: str = Field(
        "", max_length=200, description="Name under which a worker holds jobs. Default: made anew."
    )
    poll_interval: Seconds = Field(1.0, description="Seconds between looks for due jobs.")
    lease: Seconds = Field(30.0, description="Seconds a worker holds a job without a heartbeat.")
    heartbeat: Seconds = Field(
        5.0, description="Seconds between heartbeats; at most a third of the lease."
    )
    reap_interval: Seconds = Field(10.0, description="Seconds between looks for expired leases.")
    reconcile_interval: Seconds = Field(
        600.0, description="Seconds between looks for files without a job."
    )
    patience: Seconds = Field(
        30.0, description="Seconds before a hint that nobody took is sent again."
    )
    max_attempts: int = Field(5, ge=1, le=100, description="Attempts at a job before it fails.")
    max_crashes: int = Field(3, ge=1, le=100, description="Of those, how many may kill the parser.")
    sweep_grace: float = Field(
        86400.0, ge=0, description="Seconds before bytes that no row names are swept up."
    )

    # Processing
    isolation: Literal["jail", "strict", "none"] = Field(
        "jail",
        description="jail: parsers run in child processes, confined as far as the kernel can. "
        "strict: no worker starts where that is not level 3, Landlock and seccomp. "
        "none: inside the worker, for tests alone.",
    )
    processors_off: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Installed processors that are not to be used, by name, comma-separated.",
    )
    process_seconds: Seconds = Field(
        60.0, description="Seconds that one processor gets for one file."
    )
    process_memory: int = Field(
        384 * 1024**2,
        ge=16 * 1024**2,
        description="Bytes of memory that a parser may use; images get 5/3 of it.",
    )
    max_pixels: int = Field(
        64_000_000, ge=1, description="Largest picture that is decoded, in pixels."
    )
    max_pages: int = Field(2000, ge=1, description="Most pages of a PDF whose text is read.")
    max_cells: int = Field(
        1_000_000, ge=1, description="Most cells of a spreadsheet that are read."
    )
    max_archive_entries: int = Field(
        10_000, ge=1, description="Most files within a file, such as an archive, that are read."
    )
    max_unpacked_bytes: int = Field(
        512 * 1024**2, ge=1, description="Most that they may unpack to together, in bytes."
    )
    max_archive_depth: int = Field(
        3, ge=0, le=16, description="Files within files within files that are read; 0: none."
    )
    max_text_characters: int = Field(
        5 * 1024**2, ge=1, description="Longest text that is kept of a file, in characters."
    )
    max_result_bytes: int = Field(
        32 * 1024**2, ge=1024, description="Most that one processor may hand back, in bytes."
    )
    ocr: str = Field(
        "off",
        description="Languages in which text in pictures is recognised, such as eng or deu+eng; "
        "off: in none. Takes docstore[ocr].",
    )
    ocr_data: str = Field(
        "", description="Folder of their *.traineddata. Default: where systems usually have it."
    )
    image_resize: str = Field(
        "1024x1024", description="Box that the `resized` rendition fits into."
    )

    # Watching it
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level logged."
    )
    log_format: Literal["auto", "text", "json"] = Field(
        "auto",
        description="One line of text or one JSON object for each record. auto: JSON for `serve` "
        "and `worker` unless they log to a terminal, else text.",
    )
    access_log: bool = Field(False, description="Whether every request is logged.")
    metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of Prometheus metrics, at /metrics, open to all who reach it. 0: none.",
    )
    metrics_host: str = Field("127.0.0.1", description="Address of the metrics.")

    @field_validator(
        "cors_origins", "allowed_media_types", "trusted_proxies", "processors_off", mode="before"
    )
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(item.strip().lower() for item in value.split(",") if item.strip())
        return value

    @field_validator("allowed_media_types")
    @classmethod
    def _are_media_types(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            if not re.fullmatch(r"[\w!#$&^.+-]+/(\*|[\w!#$&^.+-]+)", item, re.ASCII):
                raise ValueError(f"{item!r} is not a media type such as image/png or image/*")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            try:
                ip_network(item)
            except ValueError as error:
                raise ValueError(f"takes networks such as 10.0.0.0/8 or ::1; {error}") from None
        return value

    @field_validator("upload_rate")
    @classmethod
    def _is_a_rate_or_off(cls, value: str) -> str:
        if value != OFF:
            Rate.parse(value)
        return value

    @field_validator("login_rate")
    @classmethod
    def _locks_nobody_out_for_long(cls, value: str) -> str:
        if Rate.parse(value).window > 60:
            raise ValueError("takes a rate per second or minute: its period is a lock-out, too")
        return value

    @field_validator("http_prefix")
    @classmethod
    def _is_a_path(cls, value: str) -> str:
        value = value.rstrip("/")
        if value and not re.fullmatch(r"(/[\w.~-]+)+", value, re.ASCII):
            raise ValueError("takes a path such as /api, or nothing")
        return value

    @field_validator("image_resize")
    @classmethod
    def _is_a_box(cls, value: str) -> str:
        if not re.fullmatch(r"[1-9]\d{0,4}x[1-9]\d{0,4}", value, re.ASCII):
            raise ValueError("takes width x height in pixels, such as 1024x1024")
        return value

    @field_validator("ocr")
    @classmethod
    def _are_languages(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z]\w*(\+[a-z]\w*)*", value, re.ASCII):
            raise ValueError("takes languages as Tesseract names them, such as deu+eng, or off")
        return value

    @field_validator("jwt_secret")
    @classmethod
    def _is_long_enough(cls, value: str) -> str:
        if value and len(value.encode()) < MIN_SECRET:
            raise ValueError(f"takes at least {MIN_SECRET} bytes; leave it empty to have one made")
        return value

    @model_validator(mode="after")
    def _heartbeat_fits_the_lease(self) -> Self:
        if self.heartbeat * 3 > self.lease:
            raise ValueError("DOCSTORE_HEARTBEAT takes at most a third of DOCSTORE_LEASE")
        return self

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """What `repr` tells: no password."""
        for name, value in super().__repr_args__():
            yield name, masked(value) if isinstance(value, str) else value

    @property
    def database(self) -> str:
        """The URL of the database that is used."""
        path = self.data_dir.absolute() / "docstore.db"
        return self.database_url or f"sqlite:///{path}"

    @property
    def storage(self) -> str:
        """The URL of the blob store that is used."""
        return self.storage_url or (self.data_dir.absolute() / "blobs").as_uri()

    @property
    def queue(self) -> str:
        """The URL of the job queue that is used."""
        return self.queue_url or "memory://"

    @property
    def has_shared_queue(self) -> bool:
        """Whether it reaches workers in other processes."""
        return not self.queue.startswith("memory:")

    @property
    def as_served(self) -> Self:
        """The same, with the number of processes that `serve` starts. Who listens in a process of
        their own has one.
        """
        if self.api_processes:
            return self
        two = self.database.startswith("sqlite") and (os.cpu_count() or 1) > 1
        return self.model_copy(update={"api_processes": 2 if two else 1})

    @property
    def rate_limits(self) -> str:
        """The URL of the rate limiter that is used."""
        if self.rate_limits_url:
            return self.rate_limits_url
        if self.queue_url.startswith(("redis://", "rediss://")):
            return self.queue_url
        path = self.data_dir.absolute() / "rate-limits.db"
        shared = path.as_uri().replace("file:", "sqlite:", 1)
        return shared if self.api_processes > 1 else "memory://"

    @property
    def uploads(self) -> Rate | None:
        """How many files a user may upload; None: as many as they like."""
        return None if self.upload_rate == OFF else Rate.parse(self.upload_rate)

    @property
    def failed_logins(self) -> Rate:
        """How many wrong passwords are taken."""
        return Rate.parse(self.login_rate)

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Whose word on where a request comes from is taken."""
        return tuple(map(ip_network, self.trusted_proxies))

    @property
    def secret_file(self) -> Path:
        """Where the secret lies that docstore makes for itself."""
        return self.data_dir.absolute() / "jwt-secret"

    @property
    def durable(self) -> bool:
        return self.durability == "full"

    @property
    def slots(self) -> int:
        """Jobs that a worker runs at once."""
        return self.workers or os.cpu_count() or 1

    @property
    def grace(self) -> timedelta:
        return timedelta(seconds=self.sweep_grace)

    @property
    def sweep_interval(self) -> float:
        """Seconds between sweeps: a quarter of the grace, from one second to ten minutes."""
        return min(600.0, max(1.0, self.sweep_grace / 4))

    @property
    def image_box(self) -> tuple[int, int]:
        """Width and height, in pixels, that `resized` fits into."""
        width, height = self.image_resize.split("x")
        return int(width), int(height)

    @property
    def is_shared(self) -> bool:
        """Whether other machines may use the same database."""
        return not self.database.startswith(("sqlite", "memory:"))

    @property
    def ocr_languages(self) -> str:
        """Empty: no text in pictures is recognised."""
        return "" if self.ocr == OFF else self.ocr

    @property
    def is_public(self) -> bool:
        """Whether it listens beyond this machine."""
        try:
            return not ip_address(self.host).is_loopback
        except ValueError:
            return self.host != "localhost"


def masked(url: str) -> str:
    """`url`, with its password made unreadable."""
    return _PASSWORD.sub(rf"\1:{MASK}", url)


def explain(error: ValidationError) -> str:
    """One line that names each wrong setting and what it takes."""
    return "; ".join(
        f"DOCSTORE_{'_'.join(map(str, problem['loc'])).upper()}: {problem['msg']}"
        if problem["loc"]
        else problem["msg"]
        for problem in error.errors(include_url=False, include_input=False)
    )
