"""Where a store is and how it is spoken to: all that the URL says.

s3://bucket                                       on AWS
s3://host:9000/bucket?secure=false                on a server of one's own
s3://KEY:SECRET@host/bucket?staging=other-bucket  with credentials, percent-encoded
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from docstore.adapters.storage.s3.checksums import Protection

MIB: Final = 1024**2
SMALLEST_PART: Final = 5 * MIB  # that S3 takes, but for the last of an object
FORM: Final = "s3://bucket or s3://host:port/bucket?option=value"
_AWS: Final = "s3.amazonaws.com"
_WORDS: Final[Mapping[str, bool]] = {"true": True, "on": True, "false": False, "off": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how often one request is tried; times in seconds. No request outlives `total`
    by more than what the server's last answer takes to be read.
    """

    connect_timeout: float = 5.0
    read_timeout: float = 15.0  # without a byte
    total_timeout: float = 30.0  # of all tries together
    tries: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is held, moved and done at once."""

    part_bytes: int = SMALLEST_PART
    copy_bytes: int = 64 * MIB  # copied by one request, which must end within the read time-out
    memory_bytes: int = 16 * MIB  # of bodies that wait to be sent, all together; others go to disk
    parts_at_once: int = 3  # that are sent, each from memory
    connections: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """`repr` tells no secret."""

    endpoint: str  # host, and port unless it is the usual one
    bucket: str
    staging: str  # the bucket of keys under staging/; may be the same
    secure: bool = True
    region: str | None = None  # None: the server is asked
    public: str | None = None  # URL under which clients reach it, for signed links
    checksums: Protection = Protection.CRC32
    limits: Limits = field(default_factory=Limits)
    sizes: Sizes = field(default_factory=Sizes)
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)

    @property
    def buckets(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys((self.bucket, self.staging)))


def location_of(url: str) -> Location:
    """What `url` says. ValueError, without its secrets, for what cannot be understood."""
    parts = urlsplit(url)
    host, bucket = _host_and_bucket(parts)
    options = _options(parts.query)
    access_key, secret_key = _credentials(parts)
    return Location(
        endpoint=host,
        bucket=bucket,
        staging=options.pop("staging", bucket),
        secure=_truth("secure", options.pop("secure", "true")),
        region=options.pop("region", None),
        public=_public(options.pop("public", None)),
        checksums=_protection(options.pop("checksums", Protection.CRC32)),
        limits=replace(Limits(), **_numbers(Limits(), options)),
        sizes=replace(Sizes(), **_numbers(Sizes(), options)),
        access_key=access_key,
        secret_key=secret_key,
    )


def _host_and_bucket(parts: SplitResult) -> tuple[str, str]:
    host = parts.netloc.rpartition("@")[2]
    bucket = parts.path.strip("/")
    if not bucket and ":" not in host:
        host, bucket = _AWS, host
    if parts.scheme != "s3" or parts.fragment or not host or not bucket or "/" in bucket:
        # What was written is not repeated: it may hold a secret, and not where one looks for it.
        raise ValueError(f"an S3 URL is {FORM}, with / + @ ? # in a secret percent-encoded")
    return host, bucket


def _credentials(parts: SplitResult) -> tuple[str | None, str | None]:
    if parts.username is None and parts.password is None:
        return None, None
    if not parts.username or not parts.password:
        raise ValueError("an S3 URL has both an access key and a secret key, or neither")
    return unquote(parts.username), unquote(parts.password)


def _options(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    known = {"staging", "secure", "region", "public", "checksums"}
    known |= {f.name for kind in (Limits, Sizes) for f in fields(kind)}
    given = dict(pairs)
    if not given.keys() <= known or len(given) < len(pairs):
        options = ", ".join(sorted(known))
        raise ValueError(f"the options of an S3 URL, each once at most, are {options}")
    return given


def _public(url: str | None) -> str | None:
    if url is not None and not re.fullmatch(r"https?://[^/?#@]+", url):
        raise ValueError(f"public in an S3 URL takes http://host or https://host, not {url!r}")
    return url


def _protection(value: str) -> Protection:
    try:
        return Protection(value)
    except ValueError:
        words = ", ".join(Protection)
        raise ValueError(f"checksums in an S3 URL takes one of {words}, not {value!r}") from None


def _truth(name: str, value: str) -> bool:
    if value not in _WORDS:
        raise ValueError(f"{name} in an S3 URL takes true or false, not {value!r}")
    return _WORDS[value]


def _numbers(defaults: Limits | Sizes, options: Mapping[str, str]) -> dict[str, Any]:
    """The fields that are given, each of its default's kind and above 0."""
    kinds = {f.name: type(getattr(defaults, f.name)) for f in fields(defaults)}
    return {
        name: _number(name, kind, options[name]) for name, kind in kinds.items() if name in options
    }


def _number(name: str, kind: type[float], text: str) -> float:
    try:
        value = kind(text)
    except ValueError:
        value = kind(0)
    least = SMALLEST_PART if name in ("part_bytes", "copy_bytes") else 0
    if not least <= value < 2**53 or value == 0:
        bound = f"of at least {least}" if least else "above 0"
        raise ValueError(f"{name} in an S3 URL takes a number {bound}, not {text!r}")
    return value
