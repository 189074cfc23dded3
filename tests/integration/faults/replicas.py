"""An API and a worker as processes of their own, on servers that stay: what a kill may hit."""

import os
import random
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from subprocess import Popen

from integration.cluster import Cluster
from integration.faults.kill_loop import NOT_DONE_ONCE, STALE
from integration.servers import Server, descendants, wait_until_gone

PARTS = ("api", "worker", "api and worker")


@dataclass
class Replicas:
    """Each kill hits one of PARTS; `hits` counts them."""

    cluster: Cluster
    hits: Counter[str] = field(default_factory=Counter)
    server: Server = field(init=False)
    _worker: "Popen[str] | None" = None
    _ends: ExitStack = field(default_factory=ExitStack)  # of the worker

    def __post_init__(self) -> None:
        folder, environment = self.cluster.folder / "api", self.cluster.environment
        self.server = Server(folder, environment, options=("--no-worker",))

    @property
    def url(self) -> str:
        return self.server.url

    def start(self) -> None:
        with ThreadPoolExecutor(2) as threads:  # each takes a second
            started = [threads.submit(self._start_api), threads.submit(self._start_worker)]
        for each in started:
            each.result()

    def kill(self, rng: random.Random) -> None:
        part = rng.choice(PARTS)
        self.hits[part] += 1
        if "worker" in part:
            self._kill_worker()
        if "api" in part:
            self.server.kill()

    def stop(self) -> None:
        """Whatever runs is killed."""
        self._kill_worker()
        self.server.kill()

    def no_stale_lease(self) -> None:
        over = f"lease_until < now() - interval '{STALE.total_seconds()} seconds'"
        stale = f"SELECT id, lease_until FROM jobs WHERE status = 'processing' AND {over}"
        assert self.cluster.sql(stale) == []

    def one_completed_job_per_generation(self) -> None:
        assert self.cluster.sql(NOT_DONE_ONCE) == []

    def _start_api(self) -> None:
        if self.server.process is None:
            self.server.start()

    def _start_worker(self) -> None:
        if self._worker is None:
            self._worker = self._ends.enter_context(self.cluster.worker("worker"))

    def _kill_worker(self) -> None:
        if self._worker is None:
            return
        pids = [self._worker.pid, *descendants(self._worker.pid)]
        os.kill(self._worker.pid, signal.SIGKILL)
        self._worker = None
        self._ends.close()
        wait_until_gone(*pids)
