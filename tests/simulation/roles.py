"""The places that processes fill: when one dies, another takes over under a new name."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from docstore.application.docstore import Docstore
from docstore.domain.errors import DocstoreError
from docstore.entrypoints.worker import working
from docstore.settings import Settings
from simulation.process import Process

API: Final = "api"
WORKER: Final = "worker"


@dataclass(slots=True, eq=False)
class Role:
    """One API or one worker of the deployment."""

    kind: str
    index: int
    process: Process
    docstore: Docstore
    incarnation: int = 1
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    has_stopped: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def prefix(self) -> str:
        """How the name of each of its processes begins."""
        return f"{self.kind}-{self.index}#"


async def work(role: Role, settings: Settings, *, releases: bool) -> None:
    """What a worker's process does. With `releases` it first frees its predecessor's jobs."""
    stop, has_stopped = role.stop, role.has_stopped
    if releases:
        with suppress(DocstoreError):  # they expire instead
            await role.docstore.background.release_held_by(role.prefix)
    async with working(role.docstore, settings):
        await stop.wait()
    has_stopped.set()


def worker_settings(poll: float, reap: float, grace: float) -> Settings:
    """Slower than in life where it only costs steps."""
    return Settings.model_construct(
        workers=2,
        poll_interval=poll,
        reap_interval=reap,
        reconcile_interval=45.0,
        sweep_grace=grace,
    )
