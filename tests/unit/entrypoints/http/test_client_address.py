from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any, cast

import pytest
from litestar.types import Scope

from docstore.entrypoints.http.client_address import client_address

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def scope(peer: str | None, *forwarded: str, **others: str) -> Scope:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    headers += [(name.replace("_", "-").encode(), v.encode()) for name, v in others.items()]
    made: dict[str, Any] = {"client": peer and (peer, 1234), "headers": headers}
    return cast(Scope, made)


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, 10.9.9.9"], "198.51.100.7"),
        ("10.0.0.1", ["10.1.1.1,10.2.2.2"], "10.1.1.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1, nonsense, 10.2.2.2"], "10.2.2.2"),
        ("10.0.0.1", ["1.1.1.1, "], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7:5555"], "198.51.100.7"),
        ("fd00::1", ["[2001:db8:1:2::9]:443"], "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", [], "2001:db8:1:3::/64"),
        ("fe80::1%eth0", [], "fe80::/64"),
        ("::ffff:192.0.2.1", [], "192.0.2.1"),
        (None, ["198.51.100.7"], "local"),
        ("not an address", [], "local"),
    ],
)
def test_where_a_request_comes_from(peer: str | None, forwarded: Sequence[str], found: str) -> None:
    assert client_address(scope(peer, *forwarded), PROXIES) == found


def test_by_default_nobody_is_believed() -> None:
    assert client_address(scope("10.0.0.1", "198.51.100.7"), []) == "10.0.0.1"


def test_other_headers_say_nothing() -> None:
    told = {"forwarded": "for=1.1.1.1", "x_real_ip": "1.1.1.1", "true_client_ip": "1.1.1.1"}
    assert client_address(scope("10.0.0.1", **told), PROXIES) == "10.0.0.1"
