"""How many connections a process takes, so that there is always a descriptor for a file, too.

Without a bound the last descriptor goes to a connection, and from then on no connected client can
be served: there is none left for what it reads or writes.
"""

import resource
from contextlib import suppress
from typing import Final

from docstore.domain.errors import Unavailable
from docstore.entrypoints.http.answers import DEFAULTS
from docstore.entrypoints.http.problems import RETRY_AFTER, problem
from docstore.entrypoints.tracing import made

MOST: Final = 10_000  # connections, whatever the limits of the system
RESERVED: Final = 64  # descriptors that no connection needs: the database, logs, modules
PER_CONNECTION: Final = 2  # the socket, and the file that comes or goes through it
SPARE: Final = 16  # connections that are told why they are turned away; more are just closed

_HEAD: Final = (
    "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n"
    "content-length: {length}\r\nretry-after: {seconds}\r\nconnection: close\r\n"
    "x-request-id: {trace_id}\r\n"
    + "".join(f"{name.decode()}: {value.decode()}\r\n" for name, value in DEFAULTS.items())
    + "\r\n"
)


def refusal(prefix: str) -> bytes:
    """What is answered before a request is read. Problem types stand under `prefix`."""
    trace_id = made()
    body = problem(
        prefix,
        Unavailable.code,
        status=503,
        detail="too many connections",
        trace_id=trace_id,
        retry_after=RETRY_AFTER,
    )
    head = _HEAD.format(length=len(body), seconds=RETRY_AFTER, trace_id=trace_id)
    return head.encode() + body


def most_connections() -> int:
    """Asked anew for each connection: an operator may change the limit of a running process."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST
    return min(MOST, max(1, (soft - RESERVED) // PER_CONNECTION))


def take_all_descriptors() -> None:
    """The soft limit, which is there for programs that cannot handle more, goes up to the hard."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # more than the kernel gives a process
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
