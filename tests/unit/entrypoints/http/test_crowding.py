import json
import resource

import pytest

from docstore.entrypoints.http.answers import DEFAULTS
from docstore.entrypoints.http.crowding import MOST, RESERVED, most_connections, refusal


@pytest.mark.parametrize(
    ("descriptors", "most"),
    [
        (RESERVED + 20, 10),
        (RESERVED + 21, 10),
        (RESERVED, 1),
        (10, 1),
        (10**9, MOST),
        (resource.RLIM_INFINITY, MOST),
    ],
)
def test_each_connection_may_have_a_file_open_too(
    monkeypatch: pytest.MonkeyPatch, descriptors: int, most: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (descriptors, descriptors))
    assert most_connections() == most


def test_the_refusal_is_a_problem_and_says_how_long_it_is() -> None:
    head, _, body = refusal("/api").partition(b"\r\n\r\n")
    assert json.loads(body)["type"] == "/api/problems/unavailable"
    assert f"x-request-id: {json.loads(body)['trace_id']}\r\n".encode() in head
    for name, value in DEFAULTS.items():
        assert b"%s: %s" % (name, value) in head.split(b"\r\n")
    assert f"content-length: {len(body)}\r\n".encode() in head
