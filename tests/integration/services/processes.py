"""A program in a process of its own, from its start to its end."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def process(
    words: Sequence[str | Path],
    *,
    log: Path,
    is_ready: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Ready while inside; ended on leaving. What it says is in `log`."""
    with log.open("ab") as output:
        running = subprocess.Popen(
            [*map(str, words)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_ready(running, is_ready, log)
        yield running
    finally:
        _end(running)


def answers(url: str) -> bool:
    """Whether a server answers there, whatever it says."""
    try:
        httpx.get(url, timeout=5)
    except httpx.TransportError:
        return False
    return True


def _wait_until_ready(
    running: subprocess.Popen[bytes], is_ready: Callable[[], bool], log: Path
) -> None:
    until = time.monotonic() + START_SECONDS
    while not is_ready():
        if running.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"{running.args!r} did not start: {log.read_text()}")
        time.sleep(0.05)


def _end(running: subprocess.Popen[bytes]) -> None:
    running.terminate()
    try:
        running.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
