"""The URL of an S3 store, and where its credentials come from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from docstore.adapters.storage.s3.checksums import Protection
from docstore.adapters.storage.s3.credentials import provider_for
from docstore.adapters.storage.s3.location import MIB, Limits, Location, Sizes, location_of
from docstore.adapters.storage.s3.transport import Transport
from docstore.plugins import connect

CLEAR = (
    "AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "DOCSTORE_S3_ACCESS_KEY",
    "DOCSTORE_S3_SECRET_KEY", "DOCSTORE_S3_SESSION_TOKEN",
)  # fmt: skip


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's own."""
    for name in CLEAR:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("s3://bucket", {"endpoint": "s3.amazonaws.com", "bucket": "bucket"}),
        ("s3://bucket/", {"endpoint": "s3.amazonaws.com", "bucket": "bucket"}),
        ("s3://host:9000/bucket", {"endpoint": "host:9000", "bucket": "bucket"}),
        ("s3://[::1]:9000/bucket", {"endpoint": "[::1]:9000", "bucket": "bucket"}),
        ("s3://host/bucket", {"endpoint": "host", "bucket": "bucket", "secure": True}),
        ("s3://host/bucket?secure=false", {"secure": False}),
        ("s3://bucket?region=eu-west-1", {"region": "eu-west-1", "bucket": "bucket"}),
        ("s3://bucket", {"region": None, "staging": "bucket", "buckets": ("bucket",)}),
        ("s3://b1?staging=b2", {"bucket": "b1", "staging": "b2", "buckets": ("b1", "b2")}),
        ("s3://bucket", {"checksums": Protection.CRC32}),
        ("s3://bucket?checksums=sha256", {"checksums": Protection.SHA256}),
        ("s3://bucket?checksums=sdk", {"checksums": Protection.SDK}),
        ("s3://bucket?public=https://f.example.org", {"public": "https://f.example.org"}),
        ("s3://K:a%2Fb%2Bc%40@h/b", {"access_key": "K", "secret_key": "a/b+c@", "endpoint": "h"}),
        ("s3://K:S@bucket", {"access_key": "K", "bucket": "bucket"}),
        ("s3://bucket?read_timeout=2.5&tries=1", {"limits": Limits(read_timeout=2.5, tries=1)}),
        ("s3://bucket?part_bytes=8388608", {"sizes": Sizes(part_bytes=8 * MIB)}),
    ],
)
def test_what_a_url_says(url: str, want: Mapping[str, Any]) -> None:
    location = location_of(url)
    assert {name: getattr(location, name) for name in want} == want


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///bucket",
        "s3:bucket",
        "s3://host:9000",
        "s3://host/bucket/prefix",
        "s3://bucket#part",
        "s3://s3cret@host/bucket",
        "s3://:s3cret@host/bucket",
        "s3://key:@host/bucket",
        "s3://key:s3cret/more@host/bucket",
        "s3://key:s3cret#more@host/bucket",
        "s3://bucket?secure=perhaps",
        "s3://bucket?checksums=perhaps",
        "s3://bucket?unknown=1",
        "s3://bucket?tries",
        "s3://bucket?tries=0",
        "s3://bucket?tries=2.5",
        "s3://bucket?tries=-1",
        "s3://bucket?read_timeout=inf",
        "s3://bucket?read_timeout=nan",
        "s3://bucket?read_timeout=soon",
        "s3://bucket?region=a&region=b",
        "s3://bucket?part_bytes=1000",
        "s3://bucket?public=files.example.org",
        "s3://bucket?public=https://files.example.org/path",
    ],
)
def test_what_cannot_be_understood_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(ValueError, match="S3 URL") as raised:
        connect("storage", url)
    assert "s3cret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_no_secret_is_shown() -> None:
    assert "s3cret" not in repr(location_of("s3://key:s3cret@host/bucket"))
    assert "s3cret" not in repr(connect("storage", "s3://key:s3cret@host/bucket"))


def credentials(location: Location) -> tuple[str, str, str | None]:
    found = provider_for(location, Transport(location.limits, 1)).retrieve()
    return found.access_key, found.secret_key, found.session_token


def test_the_url_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCSTORE_S3_ACCESS_KEY", "other")
    monkeypatch.setenv("DOCSTORE_S3_SECRET_KEY", "other")
    assert credentials(location_of("s3://K:S@host/bucket")) == ("K", "S", None)


def test_our_own_variables_come_before_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "aws")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws")
    assert credentials(location_of("s3://bucket"))[0] == "aws"
    for name, value in (("ACCESS_KEY", "K"), ("SECRET_KEY", "S"), ("SESSION_TOKEN", "T")):
        monkeypatch.setenv(f"DOCSTORE_S3_{name}", value)
    assert credentials(location_of("s3://bucket")) == ("K", "S", "T")


def test_they_may_stand_in_the_file_of_settings(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DOCSTORE_S3_ACCESS_KEY=K\nDOCSTORE_S3_SECRET_KEY=S\n")
    assert credentials(location_of("s3://bucket")) == ("K", "S", None)


def test_half_a_pair_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCSTORE_S3_ACCESS_KEY", "K")
    with pytest.raises(ValueError, match="go together"):
        connect("storage", "s3://bucket")
