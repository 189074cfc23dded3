from dataclasses import dataclass

from docstore.application.accounts import (
    Authenticate,
    ChangePassword,
    CloseAccount,
    Ensure,
    FindUser,
    ListUsers,
    LogIn,
    Register,
    SetDisabled,
    SetPassword,
    SignUp,
)
from docstore.application.checking import Check, CheckHealth
from docstore.application.deleting import DeleteFile, DeleteUser
from docstore.application.dispatching import Dispatch, Reconcile, ReleaseExpired, ReleaseHeldBy
from docstore.application.editing import Edit
from docstore.application.guarding import UploadGuard
from docstore.application.inspecting import Inspect
from docstore.application.listing import List, ListJobs
from docstore.application.observing import TakeStock
from docstore.application.ports.job_queue import JobQueue
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
from docstore.application.retrying import RetryByHand
from docstore.application.sweeping import Sweep
from docstore.application.uploading import Upload
from docstore.application.working import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Who is who."""

    sign_up: SignUp
    log_in: LogIn
    authenticate: Authenticate
    ensure: Ensure
    register: Register
    find: FindUser
    list: ListUsers
    set_disabled: SetDisabled
    set_password: SetPassword
    change_password: ChangePassword
    close: CloseAccount
    delete: DeleteUser


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What a worker does."""

    queue: JobQueue
    work: Work
    dispatch: Dispatch
    release_expired: ReleaseExpired
    release_held_by: ReleaseHeldBy
    reconcile: Reconcile
    sweep: Sweep
    take_stock: TakeStock


@dataclass(frozen=True, slots=True, kw_only=True)
class Docstore:
    """All that docstore can do; each field is a use case. Every entrypoint holds one of these."""

    upload: Upload
    upload_guard: UploadGuard
    get: Get
    wait: Wait
    is_unchanged: IsUnchanged
    list: List
    content: OpenContent
    text: OpenText
    rendition: OpenRendition
    edit: Edit
    delete: DeleteFile
    retry: RetryByHand
    refresh: Refresh
    job: GetJob
    jobs: ListJobs
    accounts: Accounts
    background: Background
    check: Check
    check_health: CheckHealth
    inspect: Inspect
