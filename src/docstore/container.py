"""Who gets what. The only module that knows every layer."""

import hmac
import logging
import os
import random
import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Final
from uuid import uuid4

from dependency_injector import containers, providers
from uuid_utils.compat import uuid7

from docstore.adapters.media_types.signatures import SignatureSniffer
from docstore.adapters.passwords.argon2 import Argon2Passwords
from docstore.adapters.processors import recognition
from docstore.adapters.processors.inline import InlineExtractor
from docstore.adapters.processors.jail import Jail
from docstore.adapters.processors.walls import Level
from docstore.adapters.storage.filesystem.mounts import kind_of
from docstore.adapters.tokens.jwt import JwtTokenService
from docstore.adapters.tokens.secret_file import load_or_make
from docstore.application import accounts
from docstore.application.checking import Check, CheckHealth
from docstore.application.cursors import Cursors
from docstore.application.deleting import DeleteFile, DeleteUser, Purge
from docstore.application.dispatching import Dispatch, Reconcile, ReleaseExpired, ReleaseHeldBy
from docstore.application.docstore import Accounts, Background, Docstore
from docstore.application.editing import Edit
from docstore.application.guarding import LoginGuard, UploadGuard
from docstore.application.inspecting import Inspect
from docstore.application.linking import Links
from docstore.application.listing import List, ListJobs
from docstore.application.observing import TakeStock
from docstore.application.ports.blob_store import SignsUrls
from docstore.application.ports.processor import ProcessorOptions
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
from docstore.application.uploading import Upload, UploadPolicy
from docstore.application.working import Lease, Work
from docstore.domain.errors import Unavailable
from docstore.domain.job import JobType
from docstore.domain.retry import RetryPolicy
from docstore.plugins import UnknownAdapter, connect, load_all
from docstore.settings import Settings

log = logging.getLogger(__name__)

SHORTEST_UPLOAD: Final = timedelta(seconds=1)
"""A grace of 0 is for tests of the sweeper; it must not refuse every upload."""


def public_key() -> str:
    """An opaque name that nobody can guess: 128 random bits."""
    return secrets.token_urlsafe(16)


def worker_name(settings: Settings) -> str:
    """Unique among all workers that share a database."""
    return settings.worker_name or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def jwt_secret(settings: Settings) -> str:
    """The given secret, or one made on first start; nothing is kept for a store in memory."""
    if settings.jwt_secret:
        return settings.jwt_secret
    if settings.database.startswith("memory:"):
        return secrets.token_urlsafe(32)
    return load_or_make(settings.secret_file)


def cursor_key(secret: str) -> bytes:
    """A key of its own, so that no cursor is ever good for a token."""
    return hmac.digest(secret.encode(), b"docstore cursors", "sha256")


def links(settings: Settings, blobs: object) -> Links | None:
    """To originals in the store, if they are allowed. UnknownAdapter when it cannot sign any."""
    if settings.redirects == "off":
        return None
    if isinstance(blobs, SignsUrls):
        return Links(blobs, timedelta(seconds=settings.redirect_seconds))
    scheme = settings.storage.partition(":")[0]
    raise UnknownAdapter(f"DOCSTORE_REDIRECTS: a store of {scheme}: URLs cannot sign links")


def processor_options(settings: Settings) -> ProcessorOptions:
    return ProcessorOptions(
        max_text_characters=settings.max_text_characters,
        max_pixels=settings.max_pixels,
        ocr_languages=settings.ocr_languages,
        ocr_data=settings.ocr_data,
        max_result_bytes=settings.max_result_bytes,
        image_box=settings.image_box,
        seconds=settings.process_seconds,
        memory=settings.process_memory,
        max_pages=settings.max_pages,
        max_cells=settings.max_cells,
        max_archive_entries=settings.max_archive_entries,
        max_unpacked_bytes=settings.max_unpacked_bytes,
        max_archive_depth=settings.max_archive_depth,
        sniffer=f"{SignatureSniffer.__module__}:{SignatureSniffer.__qualname__}",
    )


class Container(containers.DeclarativeContainer):
    """Providers are synchronous and lazy; override one to fake it. `running` opens and closes."""

    settings = providers.Dependency(instance_of=Settings)
    new_id = providers.Object(uuid7)
    new_key = providers.Object(public_key)
    new_token = providers.Object(uuid4)
    jitter = providers.Object(random.random)
    wake = providers.Object(lambda: None)  # called when there is work; `serve` puts a bell here
    saw_attempt = providers.Object(lambda *_: None)  # called with what a worker's metrics count
    saw_extraction = providers.Object(lambda *_: None)
    filesystem = providers.Object(kind_of)  # that a folder is on

    blobs = providers.Singleton(
        connect, "storage", settings.provided.storage, durable=settings.provided.durable
    )
    database = providers.Singleton(
        connect, "database", settings.provided.database, durable=settings.provided.durable
    )
    queue = providers.Singleton(
        connect, "queue", settings.provided.queue, durable=settings.provided.durable
    )
    rate_limits = providers.Singleton(
        connect, "rate_limits", settings.provided.rate_limits, durable=settings.provided.durable
    )
    begin = database.provided.begin
    sniffer = providers.Singleton(SignatureSniffer)
    passwords = providers.Singleton(Argon2Passwords)
    secret = providers.Singleton(jwt_secret, settings)
    tokens = providers.Singleton(
        JwtTokenService,
        secret,
        lifetime=providers.Callable(
            lambda seconds: timedelta(seconds=seconds), settings.provided.token_lifetime
        ),
    )
    cursors = providers.Singleton(Cursors, providers.Callable(cursor_key, secret))
    options = providers.Singleton(processor_options, settings)
    no_recognition = providers.Callable(recognition.missing, options)  # why there is none
    off = settings.provided.processors_off
    processors = providers.Singleton(load_all, "processors", options, off=off)
    extractor = providers.Selector(
        settings.provided.isolation,
        jail=providers.Singleton(
            Jail, processors, options=options, off=off, observe=saw_extraction
        ),
        strict=providers.Singleton(
            Jail,
            processors,
            options=options,
            off=off,
            lowest=Level.FILES,
            observe=saw_extraction,
        ),
        none=providers.Singleton(InlineExtractor, processors, off=off, observe=saw_extraction),
    )

    retry_policy = providers.Factory(
        RetryPolicy,
        max_attempts=settings.provided.max_attempts,
        max_crashes=settings.provided.max_crashes,
    )
    lease = providers.Callable(
        lambda s: Lease(
            duration=timedelta(seconds=s.lease), heartbeat=timedelta(seconds=s.heartbeat)
        ),
        settings,
    )
    policy = providers.Callable(
        lambda s: UploadPolicy(
            max_bytes=s.max_upload_bytes,
            max_files=s.max_upload_files,
            allowed_media_types=s.allowed_media_types,
            max_duration=max(s.grace / 2, SHORTEST_UPLOAD),
        ),
        settings,
    )
    work = providers.Factory(
        Work,
        begin,
        providers.Dict(
            {
                JobType.PROCESS: providers.Factory(ProcessFile, begin, blobs, extractor),
                JobType.PURGE: providers.Factory(Purge, blobs),
            }
        ),
        retry_policy,
        lease,
        new_id,
        jitter,
        providers.Callable(worker_name, settings),
        saw_attempt,
    )
    background = providers.Factory(
        Background,
        queue=queue,
        work=work,
        dispatch=providers.Factory(
            Dispatch,
            begin,
            queue,
            providers.Callable(lambda s: timedelta(seconds=s.patience), settings),
        ),
        release_expired=providers.Factory(ReleaseExpired, begin, retry_policy, jitter),
        release_held_by=providers.Factory(ReleaseHeldBy, begin, retry_policy, jitter),
        reconcile=providers.Factory(Reconcile, begin, new_id),
        sweep=providers.Factory(Sweep, begin, blobs),
        take_stock=providers.Factory(TakeStock, begin),
    )
    login_guard = providers.Factory(
        LoginGuard, rate_limits, settings.provided.failed_logins, jitter
    )
    register = providers.Factory(accounts.Register, begin, passwords, new_id)
    confirm = providers.Factory(accounts.Confirm, passwords, login_guard)
    delete_user = providers.Factory(DeleteUser, begin, new_id)
    accounts = providers.Factory(
        Accounts,
        sign_up=providers.Factory(
            accounts.SignUp,
            register,
            login_guard,
            providers.Callable(lambda s: s.registration == "open", settings),
        ),
        log_in=providers.Factory(accounts.LogIn, begin, passwords, tokens, login_guard),
        authenticate=providers.Factory(accounts.Authenticate, begin, tokens),
        ensure=providers.Factory(accounts.Ensure, begin, new_id),
        register=register,
        find=providers.Factory(accounts.FindUser, begin),
        list=providers.Factory(accounts.ListUsers, begin),
        set_disabled=providers.Factory(accounts.SetDisabled, begin),
        set_password=providers.Factory(accounts.SetPassword, begin, passwords),
        change_password=providers.Factory(accounts.ChangePassword, begin, passwords, confirm),
        close=providers.Factory(accounts.CloseAccount, confirm, delete_user),
        delete=delete_user,
    )
    docstore = providers.Singleton(
        Docstore,
        upload=providers.Factory(
            Upload,
            begin,
            blobs,
            sniffer,
            new_id,
            new_key,
            policy,
            providers.Factory(ClaimKey, begin, new_token),
        ),
        upload_guard=providers.Factory(UploadGuard, rate_limits, settings.provided.uploads),
        get=providers.Factory(Get, begin),
        wait=providers.Factory(Wait, begin),
        is_unchanged=providers.Factory(IsUnchanged, begin),
        list=providers.Factory(List, begin, cursors),
        content=providers.Factory(
            OpenContent, begin, blobs, providers.Callable(links, settings, blobs)
        ),
        text=providers.Factory(OpenText, begin, blobs),
        rendition=providers.Factory(OpenRendition, begin, blobs),
        edit=providers.Factory(Edit, begin),
        delete=providers.Factory(DeleteFile, begin, new_id),
        retry=providers.Factory(RetryByHand, begin, new_id),
        refresh=providers.Factory(Refresh, begin, new_id, extractor.provider),
        job=providers.Factory(GetJob, begin),
        jobs=providers.Factory(ListJobs, begin, cursors),
        accounts=accounts,
        background=background,
        check=providers.Factory(Check, begin, blobs),
        check_health=providers.Factory(
            CheckHealth, providers.Dict(database=database, storage=blobs, queue=queue)
        ),
        inspect=providers.Factory(Inspect, begin, blobs, new_id, extractor.provider),
    )


async def migrate(container: Container, *, storage_may_be_away: bool = True) -> None:
    """Bring the database's schema up to this version, and make what the blob store needs, such as
    a bucket. NewerData when the schema is ahead.

    A blob store that is away keeps nobody from starting, unless it must not be: the next start
    looks again.
    """
    async with AsyncExitStack() as stack:
        for adapter in (container.database(), container.blobs()):
            await _open(stack, adapter)
            try:
                if hasattr(adapter, "migrate"):
                    await adapter.migrate()
            except Unavailable as error:
                if adapter is not container.blobs() or not storage_may_be_away:
                    raise
                log.warning("the blob store is not ready: %s", error)


async def due_migrations(container: Container) -> Sequence[str]:
    """What `migrate` would bring the database, oldest first. NewerData as there."""
    async with AsyncExitStack() as stack:
        database = container.database()
        await _open(stack, database)
        if not hasattr(database, "due_migrations"):
            return ()
        found: Sequence[str] = await database.due_migrations()
        return found


@asynccontextmanager
async def running(container: Container, *, worker: bool = True) -> AsyncIterator[Docstore]:
    """Open what needs opening, in order; close it in reverse, whatever happens.

    Without `worker` no parser is started: for a process that only serves.
    """
    async with AsyncExitStack() as stack:
        for provider in (
            container.blobs,
            container.database,
            container.queue,
            container.rate_limits,
        ):
            await _open(stack, provider())
        if worker:
            await _open(stack, container.extractor())
        yield container.docstore()


async def _open(stack: AsyncExitStack, adapter: object) -> None:
    if isinstance(adapter, AbstractAsyncContextManager):
        await stack.enter_async_context(adapter)
