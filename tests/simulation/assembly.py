"""Who gets what, as in `docstore.container`, for one simulated process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final
from uuid import UUID

from docstore.adapters.passwords.memory import MemoryPasswords
from docstore.adapters.rate_limits.memory import MemoryRateLimiter
from docstore.adapters.tokens.memory import MemoryTokenService
from docstore.application import accounts
from docstore.application.checking import Check, CheckHealth
from docstore.application.cursors import Cursors
from docstore.application.deleting import DeleteFile, DeleteUser, Purge
from docstore.application.dispatching import Dispatch, Reconcile, ReleaseExpired, ReleaseHeldBy
from docstore.application.docstore import Accounts, Background, Docstore
from docstore.application.editing import Edit
from docstore.application.guarding import LoginGuard, UploadGuard
from docstore.application.inspecting import Inspect
from docstore.application.listing import List, ListJobs
from docstore.application.observing import TakeStock
from docstore.application.ports.blob_store import BlobStore
from docstore.application.ports.extractor import Extractor
from docstore.application.ports.job_queue import JobQueue
from docstore.application.ports.media_types import TypeSniffer
from docstore.application.ports.unit_of_work import Begin
from docstore.application.processing import ProcessFile
from docstore.application.reading import (
    Get,
    GetJob,
    IsUnchanged,
    OpenContent,
    OpenRendition,
    OpenText,
    Wait,
)
from docstore.application.refreshing import Refresh
from docstore.application.repeating import ClaimKey
from docstore.application.retrying import RetryByHand
from docstore.application.sweeping import Sweep
from docstore.application.tasks import Task
from docstore.application.uploading import Upload, UploadPolicy
from docstore.application.working import Lease, Work
from docstore.domain.job import JobType
from docstore.domain.rates import Rate
from docstore.domain.retry import RetryPolicy

MAX_BYTES: Final = 4000
RETRY: Final = RetryPolicy(first_delay=timedelta(seconds=2), max_delay=timedelta(seconds=20))
LEASE: Final = Lease(duration=timedelta(seconds=30), heartbeat=timedelta(seconds=5))
PATIENCE: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What one process leans on."""

    begin: Begin
    blobs: BlobStore
    queue: JobQueue
    extractor: Extractor
    sniffer: TypeSniffer
    new_id: Callable[[], UUID]
    jitter: Callable[[], float]
    grace: timedelta
    name: str  # of the process, under which it holds leases
    lease: Lease = LEASE
    patience: timedelta = PATIENCE


def ids(chance: Random, now: Callable[[], float]) -> Callable[[], UUID]:
    """Identities that sort by age, as UUIDv7 do."""
    return lambda: UUID(int=(int(now() * 1000) << 80) | chance.getrandbits(80))


def assemble(ports: Ports) -> Docstore:
    begin, blobs, new_id = ports.begin, ports.blobs, ports.new_id
    cursors = Cursors(b"the same in every process")
    policy = UploadPolicy(max_bytes=MAX_BYTES, max_files=20, max_duration=ports.grace / 2)
    return Docstore(
        upload=Upload(
            begin,
            blobs,
            ports.sniffer,
            new_id,
            lambda: new_id().hex,
            policy,
            ClaimKey(begin, new_id),
        ),
        upload_guard=UploadGuard(MemoryRateLimiter(), None),
        get=Get(begin),
        wait=Wait(begin),
        is_unchanged=IsUnchanged(begin),
        list=List(begin, cursors),
        content=OpenContent(begin, blobs),
        text=OpenText(begin, blobs),
        rendition=OpenRendition(begin, blobs),
        edit=Edit(begin),
        delete=DeleteFile(begin, new_id),
        retry=RetryByHand(begin, new_id),
        refresh=Refresh(begin, new_id, lambda: ports.extractor),
        job=GetJob(begin),
        jobs=ListJobs(begin, cursors),
        accounts=_accounts(ports),
        background=_background(ports),
        check=Check(begin, blobs),
        check_health=CheckHealth({}),
        inspect=Inspect(begin, blobs, new_id, lambda: ports.extractor),
    )


def _background(ports: Ports) -> Background:
    begin, blobs = ports.begin, ports.blobs
    tasks: dict[JobType, Task] = {
        JobType.PROCESS: ProcessFile(begin, blobs, ports.extractor),
        JobType.PURGE: Purge(blobs),
    }
    return Background(
        queue=ports.queue,
        work=Work(begin, tasks, RETRY, ports.lease, ports.new_id, ports.jitter, ports.name),
        dispatch=Dispatch(begin, ports.queue, ports.patience),
        release_expired=ReleaseExpired(begin, RETRY, ports.jitter),
        release_held_by=ReleaseHeldBy(begin, RETRY, ports.jitter),
        reconcile=Reconcile(begin, ports.new_id),
        sweep=Sweep(begin, blobs),
        take_stock=TakeStock(begin),
    )


def _accounts(ports: Ports) -> Accounts:
    begin, new_id = ports.begin, ports.new_id
    delete = DeleteUser(begin, new_id)
    passwords, tokens = MemoryPasswords(), MemoryTokenService()
    register = accounts.Register(begin, passwords, new_id)
    guard = LoginGuard(MemoryRateLimiter(), Rate(1000, 60.0), ports.jitter)
    confirm = accounts.Confirm(passwords, guard)
    return Accounts(
        sign_up=accounts.SignUp(register, guard, is_open=True),
        log_in=accounts.LogIn(begin, passwords, tokens, guard),
        authenticate=accounts.Authenticate(begin, tokens),
        ensure=accounts.Ensure(begin, new_id),
        register=register,
        find=accounts.FindUser(begin),
        list=accounts.ListUsers(begin),
        set_disabled=accounts.SetDisabled(begin),
        set_password=accounts.SetPassword(begin, passwords),
        change_password=accounts.ChangePassword(begin, passwords, confirm),
        close=accounts.CloseAccount(confirm, delete),
        delete=delete,
    )
