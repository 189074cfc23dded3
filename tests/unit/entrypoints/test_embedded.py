"""docstore inside another program, as that program sees it."""

from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import docstore
from docstore.container import Container
from docstore.domain.errors import (
    IllegalTransition,
    InvalidField,
    InvalidInput,
    KeyReused,
    NotFound,
    NotReady,
    TooLarge,
)
from docstore.domain.ids import FileId
from docstore.domain.lifecycle import FileStatus
from docstore.entrypoints import embedded
from docstore.entrypoints.embedded import Source, Store
from docstore.settings import Settings

pytestmark = pytest.mark.anyio

URLS = ("database_url", "storage_url", "queue_url")
TEXT = b"The lamp was lit at dusk."
A_PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["memory", "folder"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    place = "memory://" if request.param == "memory" else tmp_path / "data"
    async with docstore.open(place, isolation="none", poll_interval=0.05) as opened:
        yield opened


async def pieces() -> AsyncIterator[bytes]:
    yield TEXT[:9]
    yield TEXT[9:]


async def test_what_goes_in_is_processed_and_comes_out(store: Store) -> None:
    me = await store.accounts.ensure("their-id")
    file = await store.upload(me, TEXT, filename="notes.txt", title="Notes", tags=["sea"])
    assert (file.status, file.size) == (FileStatus.UPLOADED, len(TEXT))
    file = await store.wait(me, file.id)
    assert (file.status, file.details.title) == (FileStatus.PROCESSED, "Notes")
    assert file.details.tags == ("sea",)
    assert await store.read(me, file.id) == TEXT
    assert (await store.text(me, file.id)).strip() == TEXT.decode()
    assert [job.attempts for job in (await store.get(me, file.id)).jobs] == [1]


@pytest.mark.parametrize("kind", ["path", "name of a path", "bytes", "iterator"])
async def test_every_kind_of_source(store: Store, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(TEXT)
    sources: dict[str, tuple[Source, str | None]] = {
        "path": (path, None),
        "name of a path": (str(path), None),
        "bytes": (TEXT, "notes.txt"),
        "iterator": (pieces(), "notes.txt"),
    }
    source, name = sources[kind]
    me = await store.accounts.ensure("me")
    file = await store.upload(me, source, filename=name)
    assert file.original_filename == "notes.txt"
    assert await store.read(me, file.id) == TEXT


async def test_a_path_may_go_by_another_name(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(TEXT)
    me = await store.accounts.ensure("me")
    file = await store.upload(me, tmp_path / "a", filename="notes.txt")
    assert file.original_filename == "notes.txt"


async def test_bytes_without_a_name_are_refused(store: Store) -> None:
    me = await store.accounts.ensure("me")
    with pytest.raises(InvalidField, match="name"):
        await store.upload(me, TEXT)
    assert not await store.list(me)


async def test_the_list_is_paged_newest_first(store: Store) -> None:
    me = await store.accounts.ensure("me")
    ids = [(await store.upload(me, TEXT, filename=f"{n}.txt")).id for n in range(3)]
    assert [file.id for file in await store.list(me, page_size=2)] == ids[:0:-1]
    assert [file.id for file in await store.list(me, page=2, page_size=2)] == ids[:1]


async def test_what_is_asked_for_is_found(store: Store) -> None:
    me = await store.accounts.ensure("me")
    for name, tags in (("a.txt", ["sea"]), ("b.md", []), ("c.txt", ["sea", "salt"])):
        await store.upload(me, TEXT, filename=name, tags=tags)
    found = [file.original_filename async for file in store.files(me, tag="sea", sort="filename")]
    assert found == ["a.txt", "c.txt"]
    assert await store.count(me, q="salt") == 1
    assert await store.count(me) == 3
    with pytest.raises(InvalidField):
        await store.count(me, sort="colour")


async def test_all_are_found_however_many(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "MAX_PAGE_SIZE", 2)
    me = await store.accounts.ensure("me")
    ids = [(await store.upload(me, TEXT, filename="a")).id for _ in range(5)]
    assert [file.id async for file in store.files(me)] == ids[::-1]
    jobs = [job async for job in store.jobs(me)]
    assert [job.file_id for job in jobs] == ids[::-1]
    assert (await store.job(me, jobs[0].id)).file_id == ids[-1]


async def test_what_an_edit_leaves_out_stays(store: Store) -> None:
    me = await store.accounts.ensure("me")
    file = await store.upload(me, TEXT, filename="a", title="Old", tags=["x"])
    file = await store.edit(me, file.id, title=None, filename="b.txt")
    assert (file.details.title, file.original_filename) == (None, "b.txt")
    assert file.details.tags == ("x",)


async def test_an_upload_with_a_key_happens_once(store: Store) -> None:
    me = await store.accounts.ensure("me")
    first, second = [
        await store.upload(me, TEXT, filename="a", idempotency_key="k") for _ in range(2)
    ]
    assert (first.id, await store.count(me)) == (second.id, 1)
    with pytest.raises(KeyReused):
        await store.upload(me, b"other", filename="a", idempotency_key="k")
    with pytest.raises(InvalidInput):
        await store.upload(me, TEXT, filename="a", idempotency_key="")


async def test_a_picture_has_renditions(store: Store) -> None:
    me = await store.accounts.ensure("me")
    picture = await store.upload(me, A_PNG, filename="a.png")
    text = await store.upload(me, TEXT, filename="a.txt")
    await store.wait(me, picture.id)
    await store.wait(me, text.id)
    resized = await store.rendition(me, picture.id)
    async with resized.open() as body:
        assert sum([len(chunk) async for chunk in body]) == resized.size > 0
    for file_id, name in ((picture.id, "huge"), (text.id, "resized")):
        with pytest.raises(NotFound):
            await store.rendition(me, file_id, name)


async def test_a_download_lands_in_a_new_file(store: Store, tmp_path: Path) -> None:
    me = await store.accounts.ensure("me")
    file = await store.upload(me, TEXT, filename="notes.txt")
    target = await store.download(me, file.id, tmp_path / "copy.txt")
    assert target.read_bytes() == TEXT
    target.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        await store.download(me, file.id, target)
    assert target.read_bytes() == b"mine"


async def test_a_range_of_the_content(store: Store) -> None:
    me = await store.accounts.ensure("me")
    file = await store.upload(me, TEXT, filename="notes.txt")
    content = await store.content(me, file.id)
    async with content.open(start=4, length=4) as body:
        assert b"".join([chunk async for chunk in body]) == b"lamp"


async def test_a_deleted_file_is_gone(store: Store) -> None:
    me = await store.accounts.ensure("me")
    file = await store.upload(me, TEXT, filename="notes.txt")
    await store.delete(me, file.id)
    with pytest.raises(NotFound):
        await store.get(me, file.id)
    with pytest.raises(NotFound):
        await store.read(me, file.id)


async def test_a_processed_file_is_processed_again_by_force_alone(store: Store) -> None:
    me = await store.accounts.ensure("me")
    file = await store.upload(me, TEXT, filename="notes.txt")
    await store.wait(me, file.id)
    with pytest.raises(IllegalTransition):
        await store.retry(me, file.id)
    assert (await store.retry(me, file.id, force=True)).status is FileStatus.PROCESSING
    assert (await store.wait(me, file.id)).generation == 2


async def test_users_do_not_see_each_other(store: Store) -> None:
    mine, theirs = await store.accounts.ensure("me"), await store.accounts.ensure("they")
    file = await store.upload(mine, TEXT, filename="notes.txt")
    assert not await store.list(theirs)
    for act in (store.get, store.read, store.text, store.content, store.delete, store.retry):
        with pytest.raises(NotFound):
            await act(theirs, file.id)
    assert await store.read(mine, file.id) == TEXT


async def test_an_upload_wakes_the_worker() -> None:
    async with docstore.open("memory://", isolation="none", poll_interval=3600) as store:
        me = await store.accounts.ensure("me")
        for _ in range(2):
            file = await store.upload(me, TEXT, filename="notes.txt")
            assert (await store.wait(me, file.id, seconds=20)).status is FileStatus.PROCESSED


async def test_a_program_finds_its_users_again(store: Store) -> None:
    assert await store.accounts.ensure("me") == await store.accounts.ensure("me")


async def test_without_a_worker_nothing_is_processed() -> None:
    async with docstore.open("memory://", worker=False) as store:
        me = await store.accounts.ensure("me")
        file = await store.upload(me, TEXT, filename="notes.txt")
        assert (await store.wait(me, file.id, seconds=0.2)).status is FileStatus.UPLOADED
        with pytest.raises(NotReady):
            await store.text(me, file.id)


async def test_a_folder_keeps_what_it_was_given(tmp_path: Path) -> None:
    async with docstore.open(tmp_path, worker=False) as store:
        me = await store.accounts.ensure("me")
        file = await store.upload(me, TEXT, filename="notes.txt")
    async with docstore.open(tmp_path, isolation="none") as store:
        me = await store.accounts.ensure("me")
        assert (await store.wait(me, file.id)).status is FileStatus.PROCESSED
        assert await store.read(me, file.id) == TEXT


async def test_settings_are_keyword_arguments() -> None:
    async with docstore.open("memory://", worker=False, max_upload_bytes=3) as store:
        me = await store.accounts.ensure("me")
        await store.upload(me, b"abc", filename="a.txt")
        with pytest.raises(TooLarge):
            await store.upload(me, b"abcd", filename="a.txt")


async def test_any_provider_can_be_replaced() -> None:
    memory: dict[str, Any] = dict.fromkeys(URLS, "memory://")
    container = Container(settings=Settings(**memory))
    container.new_key.override(lambda: "a-key-of-my-own")
    async with embedded.opened(container, worker=False) as store:
        me = await store.accounts.ensure("me")
        assert (await store.upload(me, TEXT, filename="a.txt")).key == "a-key-of-my-own"


async def test_an_unknown_id_is_not_found(store: Store) -> None:
    me = await store.accounts.ensure("me")
    with pytest.raises(NotFound):
        await store.get(me, FileId(UUID(int=0)))
