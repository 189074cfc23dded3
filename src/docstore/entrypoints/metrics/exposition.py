"""Where the meters can be read: `/metrics`, on an address of its own."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from docstore.entrypoints.metrics.meters import NO_METERS, Meters
from docstore.entrypoints.serving.address import CannotListen
from docstore.settings import Settings

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus_client knows that several processes count together."""

_MEMORY: Final = Path("/dev/shm")
_PREFIX: Final = "docstore-metrics-"


def meters(settings: Settings) -> Meters:
    """Those of this process. The library is loaded only where somebody wants to know."""
    if not settings.metrics_port:
        return NO_METERS
    from prometheus_client import REGISTRY

    from docstore.entrypoints.metrics.prometheus import PrometheusMeters

    return PrometheusMeters(REGISTRY)


@contextmanager
def exposed(settings: Settings) -> Iterator[None]:
    """While inside, the meters can be read, those of all processes that count in this one's
    folder. Nothing happens unless a port is set. Raises CannotListen.
    """
    if not settings.metrics_port:
        yield
        return
    from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = REGISTRY
    if FOLDER in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    host, port = settings.metrics_host, settings.metrics_port
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise CannotListen(f"cannot show metrics on {host} port {port}: {reason}") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def shared_folder(settings: Settings) -> Iterator[None]:
    """While inside, this process and those that it starts count together. Nothing happens unless
    a port is set.

    The folder lies in memory where it can: what is mapped there cannot fail for want of disk.
    """
    if not settings.metrics_port:
        yield
        return
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    _clear(place)
    folder = place / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    os.environ[FOLDER] = str(folder)
    try:
        yield
    finally:
        del os.environ[FOLDER]
        shutil.rmtree(folder, ignore_errors=True)


def _clear(place: Path) -> None:
    """What killed processes of this user have left behind."""
    for folder in place.glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).split("-")[0]
        with suppress(OSError, ValueError):
            if folder.stat().st_uid == os.getuid() and not Path(f"/proc/{int(pid)}").exists():
                shutil.rmtree(folder, ignore_errors=True)
