"""When the storm is over: everything comes to rest in time, and nothing is lost or left behind."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from docstore.application.docstore import Docstore
from docstore.domain.errors import DocstoreError
from docstore.domain.ids import FileId
from docstore.domain.lifecycle import JobStatus
from simulation.process import Process
from simulation.roles import WORKER

if TYPE_CHECKING:
    from simulation.world import World

PATIENCE: Final = 1800.0  # seconds until everything must be at rest


async def settle(world: "World", clients: Sequence["asyncio.Task[None]"]) -> None:
    """Wait until all is at rest; a breach when that takes too long."""
    deadline = world.loop.time() + PATIENCE
    while not _is_at_rest(world, clients):
        await asyncio.sleep(1)
        if world.loop.time() > deadline:
            world.broken("liveness", f"not at rest after {PATIENCE:.0f} s: {_restless(world)}")
    for client in clients:
        client.result()
    for role in world.roles:
        if role.kind is WORKER:
            role.stop.set()
            await role.has_stopped.wait()


def _is_at_rest(world: "World", clients: Sequence["asyncio.Task[None]"]) -> bool:
    return (
        all(client.done() for client in clients)
        and all(role.process.is_up and not role.stop.is_set() for role in world.roles)
        and not _restless(world)
    )


def _restless(world: "World") -> Sequence[object]:
    rows = world.database.rows
    files = [file for file in rows.files.values() if not file.status.is_final]
    return [*files, *(job for job in rows.jobs.values() if job.status.is_live)]


async def judge(world: "World") -> None:
    """After the grace and one sweep, compare all there is with what was acknowledged."""
    grace = timedelta(seconds=world.plan.grace)
    world.loop.skip(2 * world.plan.grace)
    janitor = world.application(Process("janitor"))
    await _clean(world, janitor, grace)
    for file_id in world.history.owed:
        await _is_there(world, janitor, file_id)
    for file_id in world.history.deleted:
        if file_id in world.database.rows.files:
            world.broken("I15", f"file {file_id} is there after its deletion")
    async for finding in janitor.check(grace=timedelta(0)):
        world.broken("fsck", str(finding))


async def _clean(world: "World", janitor: Docstore, grace: timedelta) -> None:
    if stranded := await janitor.background.reconcile():
        world.broken("I8", f"{stranded} files had no job")
    world.promises.seen["quiet end"] += 1
    await janitor.background.sweep(grace=grace)
    rows = world.database.rows
    named = {key for file in rows.files.values() for key in file.blob_keys()}
    if orphans := sorted(set(world.blobs.keys) - named):
        world.broken("I4", f"after a sweep there are still {orphans}")
    if world.blobs.leftovers:
        world.broken("I4", f"after a sweep there are still leftovers: {world.blobs.leftovers}")
    if done := [j for j in rows.jobs.values() if not j.file_id and j.status is JobStatus.COMPLETED]:
        world.broken("I4", f"after a sweep there are still purges: {done}")


async def _is_there(world: "World", docstore: Docstore, file_id: FileId) -> None:
    promise = world.history.acknowledged[file_id]
    try:
        file = (await docstore.get(owner=promise.owner, id=file_id)).file
        readable = await docstore.content(owner=promise.owner, id=file_id)
        digest = sha256()
        async with readable.open() as body:
            async for chunk in body:
                digest.update(chunk)
    except DocstoreError as error:
        world.broken("I1", f"file {file_id} cannot be read in the end: {error!r}")
        return
    if (digest.hexdigest(), file.size) != (promise.sha256, promise.size):
        world.broken("I1", f"file {file_id} has other bytes than were acknowledged")
    if file_id in world.history.processed and file.extracted is None:
        world.broken("I6", f"file {file_id} was processed, and nothing is left of it")
