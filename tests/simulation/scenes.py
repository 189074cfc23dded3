"""Everything that changes something, as scenes in which each port call is to fail once."""

from datetime import timedelta
from typing import Final
from uuid import uuid4

from docstore.application.docstore import Docstore
from docstore.domain.file import File
from docstore.domain.ids import LeaseToken
from simulation.extractor import CORRUPT, NOTED, NOTES, PICTURE, PICTURES, POISON, SLOW
from simulation.rehearsal import GRACE, Rehearsal, Scene

FINE: Final = PICTURE + b" with a text, which makes every kind of artefact"
ANNOTATED: Final = NOTED + b" so that two steps find a text"
BROKEN: Final = CORRUPT + b" in a way that no second try will mend"
LONG: Final = SLOW + b" to read, so that the lease is renewed"
DEADLY: Final = POISON + b" that kills each parser"


async def nothing(stage: Rehearsal, docstore: Docstore) -> None:
    """No preparation."""


async def uploaded(stage: Rehearsal, docstore: Docstore) -> None:
    await stage.upload(docstore, FINE)


async def annotated(stage: Rehearsal, docstore: Docstore) -> None:
    await stage.upload(docstore, ANNOTATED)


async def processed(stage: Rehearsal, docstore: Docstore) -> None:
    await stage.upload(docstore, FINE)
    await stage.work(docstore)


async def corrupt(stage: Rehearsal, docstore: Docstore) -> None:
    await stage.upload(docstore, BROKEN)


async def slow(stage: Rehearsal, docstore: Docstore) -> None:
    await stage.upload(docstore, LONG)


async def failed(stage: Rehearsal, docstore: Docstore) -> None:
    await stage.upload(docstore, BROKEN)
    await stage.work(docstore)


async def crashed_twice(stage: Rehearsal, docstore: Docstore) -> None:
    await stage.upload(docstore, DEADLY)
    await stage.work(docstore, attempts=2)


async def reprocessing(stage: Rehearsal, docstore: Docstore) -> None:
    await processed(stage, docstore)
    await retry(stage, docstore)


async def going_on(stage: Rehearsal, docstore: Docstore) -> None:
    """Two of three steps were done before the failure; the third will not fail again."""
    await failed(stage, docstore)
    stage.stage.versions[NOTES] += 1
    await docstore.retry(owner=stage.owner, id=(await _only(stage)).id)


async def swept_and_going_on(stage: Rehearsal, docstore: Docstore) -> None:
    """What the two had left was swept up meanwhile."""
    await failed(stage, docstore)
    stage.stage.versions[NOTES] += 1
    stage.stage.ahead += 2 * GRACE
    await sweep(stage, docstore)
    await docstore.retry(owner=stage.owner, id=(await _only(stage)).id)


async def upgraded(stage: Rehearsal, docstore: Docstore) -> None:
    await stage.upload(docstore, ANNOTATED)
    await stage.work(docstore)
    stage.stage.versions[PICTURES] += 1


async def refreshing(stage: Rehearsal, docstore: Docstore) -> None:
    await upgraded(stage, docstore)
    await refresh(stage, docstore)


async def purging(stage: Rehearsal, docstore: Docstore) -> None:
    await processed(stage, docstore)
    await delete(stage, docstore)


async def lapsed(stage: Rehearsal, docstore: Docstore) -> None:
    """A worker has claimed a job and was never heard of again."""
    await stage.upload(docstore, FINE)
    (job,) = await stage.jobs()
    await docstore.background.work._claim(job.id, LeaseToken(uuid4()))
    stage.stage.ahead += timedelta(minutes=1)


async def littered(stage: Rehearsal, docstore: Docstore) -> None:
    """A good file among bytes that no row names, and a purge that is done."""
    await purging(stage, docstore)
    await stage.work(docstore)
    await processed(stage, docstore)
    for orphan in await stage.keys():
        await stage.stage.blobs.copy(orphan, orphan.replace("/1/", "/9/"))
    stage.stage.ahead += 2 * GRACE


async def upload_one(stage: Rehearsal, docstore: Docstore) -> None:
    await stage.upload(docstore, FINE)


async def upload_three(stage: Rehearsal, docstore: Docstore) -> None:
    await stage.upload(docstore, FINE, BROKEN, DEADLY)


async def work(stage: Rehearsal, docstore: Docstore) -> None:
    await stage.work(docstore)


async def retry(stage: Rehearsal, docstore: Docstore) -> None:
    await docstore.retry(owner=stage.owner, id=(await _only(stage)).id, force=True)


async def refresh(stage: Rehearsal, docstore: Docstore) -> None:
    await docstore.refresh()


async def delete(stage: Rehearsal, docstore: Docstore) -> None:
    await stage.delete(docstore, (await _only(stage)).id)


async def leave(stage: Rehearsal, docstore: Docstore) -> None:
    stage.history.leaving.add(stage.owner)
    await docstore.accounts.delete(stage.owner)


async def dispatch(stage: Rehearsal, docstore: Docstore) -> None:
    await docstore.background.dispatch()


async def release_expired(stage: Rehearsal, docstore: Docstore) -> None:
    await docstore.background.release_expired()


async def release_held(stage: Rehearsal, docstore: Docstore) -> None:
    await docstore.background.release_held_by("stage hand")


async def sweep(stage: Rehearsal, docstore: Docstore) -> None:
    await docstore.background.sweep(grace=GRACE)


async def _only(stage: Rehearsal) -> File:
    (file,) = await stage.files()
    return file


SCENES: Final = {
    "upload of one file": Scene(prepare=nothing, act=upload_one, uploads=1),
    "upload of three files": Scene(prepare=nothing, act=upload_three, uploads=3),
    "processing that succeeds": Scene(prepare=uploaded, act=work),
    "processing of a slow file": Scene(prepare=slow, act=work),
    "processing of a corrupt file": Scene(prepare=corrupt, act=work),
    "the last of its crashes": Scene(prepare=crashed_twice, act=work),
    "processing of two texts": Scene(prepare=annotated, act=work),
    "processing that goes on": Scene(prepare=going_on, act=work),
    "processing that would go on": Scene(prepare=swept_and_going_on, act=work),
    "looking for what is out of date": Scene(prepare=upgraded, act=refresh),
    "processing of what is out of date": Scene(prepare=refreshing, act=work),
    "retry by hand": Scene(prepare=failed, act=retry),
    "forced retry of a processed file": Scene(prepare=processed, act=retry),
    "processing once more": Scene(prepare=reprocessing, act=work),
    "delete of a new file": Scene(prepare=uploaded, act=delete),
    "delete of a processed file": Scene(prepare=processed, act=delete),
    "purge": Scene(prepare=purging, act=work),
    "deletion of an account": Scene(prepare=processed, act=leave),
    "dispatch": Scene(prepare=uploaded, act=dispatch),
    "taking back an expired lease": Scene(prepare=lapsed, act=release_expired),
    "taking back a dead worker's job": Scene(prepare=lapsed, act=release_held),
    "sweep": Scene(prepare=littered, act=sweep),
}
