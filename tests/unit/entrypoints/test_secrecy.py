from pathlib import Path
from typing import Any

import pytest

from docstore.entrypoints.cli.failures import Exit, failure
from docstore.entrypoints.secrecy import PublishedSecret, refuse_published
from docstore.entrypoints.serving.server import serve
from docstore.settings import Settings

EXAMPLE = "change-me-change-me-change-me-change-me"
"""Once stood in `.env.dist`."""
PUBLIC = "0.0.0.0"


@pytest.mark.parametrize(
    "secret",
    [EXAMPLE, "ReplaceMe" * 4, "please_change_this_to_something_random", "your-secret" * 3],
)
def test_an_example_is_no_secret_beyond_this_machine(secret: str) -> None:
    with pytest.raises(PublishedSecret, match=r"DOCSTORE_JWT_SECRET .*openssl rand") as caught:
        refuse_published(_settings(jwt_secret=secret, host=PUBLIC))
    assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("secret", "host"),
    [
        (EXAMPLE, "127.0.0.1"),
        ("", PUBLIC),
        ("0f1e2d3c4b5a69788796a5b4c3d2e1f0", PUBLIC),
    ],
)
def test_what_is_for_a_look_or_was_made_is_taken(secret: str, host: str) -> None:
    refuse_published(_settings(jwt_secret=secret, host=host))


def test_serve_refuses_before_it_makes_anything(tmp_path: Path) -> None:
    settings = _settings(data_dir=tmp_path / "data", jwt_secret=EXAMPLE, host=PUBLIC, port=0)
    with pytest.raises(PublishedSecret) as caught:
        serve(settings, print)
    assert not settings.data_dir.exists()
    assert failure(caught.value).exit_code == Exit.WRONG_USE


def _settings(**changes: Any) -> Settings:
    return Settings(**changes)
