"""Where a request comes from, as far as that can be known."""

from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, TypeAlias

from litestar.types import Scope

Networks: TypeAlias = Sequence[IPv4Network | IPv6Network]
Address: TypeAlias = IPv4Address | IPv6Address

ONE_SITE: Final = 64  # bits of an IPv6 address that tell one site, or one attacker, from another
LOCAL: Final = "local"
"""Where who comes by no network comes from, such as by a Unix socket."""


def client_address(scope: Scope, proxies: Networks) -> str:
    """The client's IPv4 address or IPv6 network, to count by.

    That is the peer, unless the peer is among the trusted `proxies`: then the nearest address in
    X-Forwarded-For that is none of them, since what stands further left anybody may have written.
    """
    client = scope.get("client")
    peer = _parsed(client[0]) if client else None
    if peer is None:
        return LOCAL
    return _site(_behind(peer, reversed(_forwarded(scope)), proxies))


def _behind(peer: Address, nearest_first: Iterable[str], proxies: Networks) -> Address:
    for told in nearest_first:
        if not any(peer in network for network in proxies):
            break
        before = _parsed(told)
        if before is None:
            break
        peer = before
    return peer


def _forwarded(scope: Scope) -> Sequence[str]:
    values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return b",".join(values).decode("latin-1").split(",") if values else ()


def _parsed(told: str) -> Address | None:
    """An address, which some write with a port; IPv4 in IPv6's clothes is IPv4."""
    text = told.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _site(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((int(address), ONE_SITE), strict=False))
