"""Real servers for tests: `docstore serve` in a process of its own, on a data directory."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PROGRAM: Final = (sys.executable, "-m", "docstore.entrypoints.cli")
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0


class DidNotStart(Exception):
    """It ended before it served; `status` is its exit status."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"status {status}: {said}")
        self.status = status
        self.said = said


@dataclass
class Server:
    """One `serve` at a time on `data_dir`. What it logs is in `log`, beside the directory."""

    data_dir: Path
    environment: Mapping[str, str] = field(default_factory=dict)  # beside this process's own
    port: int = 0  # 0: a free one, another at each start
    options: tuple[str, ...] = ()  # more of `serve`
    url: str = ""  # while it serves
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.data_dir.with_name(f"{self.data_dir.name}.log")

    def told(self) -> list[str]:
        """The messages logged so far that want somebody's attention."""
        records = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [r["message"] for r in records if r["level"] != "info"]

    @property
    def pid(self) -> int:
        """Of the supervisor."""
        return self._running.pid

    def start(self) -> None:
        """Until it answers. DidNotStart when it ends instead."""
        with self.log.open("ab") as log:
            began = log.tell()
            self.process = subprocess.Popen(
                [*PROGRAM, "serve", "--json", *self._where(), *self.options],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.url = self._read_url()
        except BaseException:
            self.kill()
            raise
        if not self.url:
            status = self.wait()
            with self.log.open("rb") as log:
                log.seek(began)
                raise DidNotStart(status, log.read().decode(errors="replace"))

    def kill(self) -> None:
        """SIGKILL to the supervisor; returns once all below it, which must not outlive it, are
        gone. Nothing happens when it is not running.
        """
        if self.process is not None:
            below = descendants(self.process.pid)
            os.killpg(self.process.pid, signal.SIGKILL)
            self.wait()
            wait_until_gone(*below)

    def send(self, what: signal.Signals) -> None:
        """To the supervisor alone."""
        self._running.send_signal(what)

    def stop(self) -> int:
        """SIGTERM, and its exit status once it has drained."""
        self.send(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """The exit status; a server that does not end is killed, and its test fails."""
        process = self._running
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            assert process.stdout is not None
            process.stdout.close()
            self.process = None

    def children(self) -> Mapping[str, int]:
        """The hidden command of each process right below the supervisor, and its id. Of several
        with the same command all but the first have a number: `_api 2`.
        """
        found: dict[str, int] = {}
        for pid in sorted(_children(self.pid)):
            words = _command_line(pid)
            name = next((word for word in words if word in ("_api", "_worker")), "?")
            same = sum(each.split()[0] == name for each in found)
            found[f"{name} {same + 1}" if same else name] = pid
        return found

    def command(self, *words: str, status: int = 0) -> Any:
        """What another docstore command prints as JSON; its exit status must be `status`."""
        done = subprocess.run(
            [*PROGRAM, *words, "--json", "--data-dir", str(self.data_dir)],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=STOP_SECONDS,
            check=False,
        )
        assert done.returncode == status, (done.stdout + done.stderr).decode(errors="replace")
        return json.loads(done.stdout) if done.stdout else None

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None, "it is not running"
        return self.process

    def _where(self) -> tuple[str, ...]:
        return ("--port", str(self.port), "--data-dir", str(self.data_dir))

    def _environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if "DOCSTORE_" not in name}
        return {**own, **self.environment}

    def _read_url(self) -> str:
        """Empty when it ends without having served."""
        stdout = self._running.stdout
        assert stdout is not None
        ready, _, _ = select.select([stdout], [], [], START_SECONDS)
        if not ready:
            raise TimeoutError(f"no answer in {START_SECONDS:.0f} s: {self.log.read_text()}")
        line = stdout.readline()
        return str(json.loads(line)["url"]) if line else ""


@contextmanager
def serving(
    data_dir: Path, *, environment: Mapping[str, str] | None = None, **settings: str
) -> Iterator[Server]:
    """A started server, killed on leaving unless it has ended. `drain_timeout="5"` and the like
    are its settings.
    """
    chosen = {f"DOCSTORE_{name.upper()}": value for name, value in settings.items()}
    server = Server(data_dir, {**(environment or {}), **chosen})
    try:
        server.start()
        yield server
    finally:
        server.kill()


def is_running(pid: int) -> bool:
    """Whether that process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(*pids: int, seconds: float = 10.0) -> None:
    """Fails when one of them is still running after `seconds`."""
    until = time.monotonic() + seconds
    while left := [pid for pid in pids if is_running(pid)]:
        assert time.monotonic() < until, f"still running: {left}"
        time.sleep(0.01)


def descendants(pid: int) -> list[int]:
    """Every process below `pid`."""
    found = []
    for child in _children(pid):
        found += [child, *descendants(child)]
    return found


def _children(pid: int) -> list[int]:
    """Of all its threads: each has a list of its own."""
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return found


def _command_line(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
