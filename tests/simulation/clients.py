"""People who upload, look, press buttons and walk away, and who remember what they were told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Final

from docstore.application.docstore import Docstore
from docstore.application.listing import Stretch
from docstore.application.reading import Detail, Readable
from docstore.application.uploading import Part
from docstore.domain.errors import (
    Conflict,
    InvalidInput,
    Malformed,
    NotAuthenticated,
    NotFound,
    NotReady,
    TooSlow,
    Unavailable,
)
from docstore.domain.file import File
from docstore.domain.ids import FileId, UserId
from docstore.domain.lifecycle import FileStatus
from simulation.assembly import MAX_BYTES
from simulation.extractor import MOODS, NOTHING, PICTURE, STEPS, text_of
from simulation.plan import Fault
from simulation.requests import HungUp

if TYPE_CHECKING:
    from simulation.world import World

SPOILED: Final = 0.1  # of the parts: empty, too large, or cut off


class Client:
    """Acts at random; reports a breach when an answer contradicts an earlier one."""

    def __init__(self, world: "World", owner: UserId, number: int) -> None:
        self._world = world
        self._history = world.history
        self._owner = owner
        self._chance = world.plan.chance(f"client {number}")
        self._acts: list[Callable[[], Awaitable[None]]] = [
            *[self._upload] * 4,
            *[self._retry] * 5,
            *[self._read_derived] * 3,
            self._refresh,
            self._get,
            self._list,
            self._wait,
            self._delete,
            self._download,
        ]

    async def run(self) -> None:
        await self._turn(self._upload)
        for _ in range(self._world.plan.actions):
            await asyncio.sleep(self._chance.expovariate(1 / self._world.plan.think))
            if self._world.storm.is_over:
                return
            await self._turn(self._chance.choice(self._acts))
        if self._chance.random() < 0.05:
            await self._turn(self._leave)

    async def _turn(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except (Unavailable, HungUp):
            pass  # it may have been done, or not
        except NotAuthenticated:
            if self._owner not in self._history.leaving:
                self._world.broken("I1", "an account vanished")
        except Exception as error:
            self._world.broken("answers", f"{act.__name__}: {type(error).__name__}: {error}")

    # Uploads

    async def _upload(self) -> None:
        count = self._chance.randint(1, self._world.plan.max_parts)
        bodies = [_body(self._chance) for _ in range(count)]
        pace = self._chance.choice([0.01, 0.01, 1.0, 15.0])
        cut = self._chance.random() < SPOILED and self._chance.randrange(count)

        async def act(docstore: Docstore) -> Sequence[File]:
            parts = self._parts(bodies, pace, cut)
            files = await docstore.upload(owner=self._owner, parts=parts)
            self._history.uploaded(self._owner, files, bodies)
            return files

        try:
            await self._world.ask(act, hang_up_after=self._patience())
        except (InvalidInput, TooSlow):
            if cut is False and all(0 < len(body) <= MAX_BYTES for body in bodies) and pace < 1:
                raise

    async def _parts(
        self, bodies: Sequence[bytes], pace: float, cut: int | bool
    ) -> AsyncIterator[Part]:
        for number, body in enumerate(bodies):
            is_cut = cut is not False and number == cut
            yield Part(name=f"{number}.txt", body=self._pieces(body, pace, is_cut))

    async def _pieces(self, body: bytes, pace: float, is_cut: bool) -> AsyncIterator[bytes]:
        half = self._chance.randint(0, len(body))
        for piece in (body[:half], body[half:]):
            await asyncio.sleep(self._chance.expovariate(1 / pace))
            if piece:
                yield piece
        if is_cut:
            raise Malformed("the connection ended in the middle of a part")

    def _patience(self) -> float | None:
        """Seconds until it hangs up, if it does. Drawn in any case, so that plans compare."""
        hangs_up = self._chance.random() < 0.2
        seconds = self._chance.choice([0.001, 0.02, 1.0, 10.0]) * self._chance.random()
        return seconds if hangs_up and Fault.HANG_UP in self._world.plan.faults else None

    # Looking

    def _some_file(self) -> FileId | None:
        files = self._history.of(self._owner)
        return self._chance.choice(files) if files else None

    async def _look(
        self, file_id: FileId, act: Callable[[Docstore], Awaitable[Detail]]
    ) -> Detail | None:
        """Ask for a file, and compare the answer with what must and must not be there."""
        was_deleted = file_id in self._history.deleted
        try:
            detail = await self._world.ask(act, hang_up_after=self._patience())
        except NotFound:
            if not self._history.may_be_gone(file_id, self._owner):
                self._world.broken("I1", f"file {file_id} is not found")
            return None
        if was_deleted:
            self._world.broken("I15", f"file {file_id} is shown after its deletion")
        if detail.file.status is FileStatus.PROCESSED:
            self._history.processed.add(file_id)
        return detail

    async def _get(self) -> None:
        if file_id := self._some_file():
            await self._look(file_id, lambda d: d.get(owner=self._owner, id=file_id))

    async def _wait(self) -> None:
        seconds = self._chance.uniform(0, 20)
        if file_id := self._some_file():
            await self._look(
                file_id, lambda d: d.wait(owner=self._owner, id=file_id, seconds=seconds)
            )

    async def _list(self) -> None:
        owed = {i for i in self._history.owed if self._history.acknowledged[i].owner == self._owner}
        deleted = set(self._history.deleted)
        page = await self._world.ask(
            lambda d: d.list(owner=self._owner, wanted=Stretch(page_size=100))
        )
        shown = {file.id for file in page.items}
        if missing := (owed & set(self._history.owed)) - shown:
            self._world.broken("I1", f"files {sorted(missing)} are not listed")
        if shown & deleted:
            self._world.broken("I15", f"files {sorted(shown & deleted)} are listed after deletion")

    # Reading

    async def _download(self) -> None:
        if file_id := self._some_file():
            promise = self._history.acknowledged[file_id]
            await self._read(
                file_id, promise.sha256, lambda d: d.content(owner=self._owner, id=file_id)
            )

    async def _read_derived(self) -> None:
        """The text or the picture: there, and right, once the file was seen processed."""
        if not (file_id := self._some_file()):
            return
        body = self._history.acknowledged[file_id]
        if self._chance.random() < 0.5:
            has_it = body.mood != NOTHING
            expected = sha256(text_of(body.mood, body.sha256).encode()).hexdigest()
            open_it = lambda d: d.text(owner=self._owner, id=file_id)  # noqa: E731
        else:
            has_it = body.mood == PICTURE
            expected = sha256(bytes.fromhex(body.sha256)).hexdigest()
            open_it = lambda d: d.rendition(owner=self._owner, id=file_id)  # noqa: E731
        must_be_there = has_it and file_id in self._history.processed
        with suppress(NotReady):  # it is processed once more
            await self._read(file_id, expected, open_it, optional=not must_be_there)

    async def _read(
        self,
        file_id: FileId,
        expected: str,
        open_it: Callable[[Docstore], Awaitable[Readable]],
        *,
        optional: bool = False,
    ) -> None:
        was_deleted = file_id in self._history.deleted

        async def act(docstore: Docstore) -> str:
            readable = await open_it(docstore)
            return await _hash(readable.open())

        try:
            found = await self._world.ask(act, hang_up_after=self._patience())
        except NotFound:
            if not optional and not self._history.may_be_gone(file_id, self._owner):
                self._world.broken("I1", f"bytes of file {file_id} are not found")
            return
        if was_deleted or found != expected:
            self._world.broken("I15" if was_deleted else "I1", f"wrong bytes for file {file_id}")

    # Pressing buttons

    async def _retry(self) -> None:
        file_id, force = self._some_file(), self._chance.random() < 0.7
        if file_id is None:
            return
        if self._chance.random() < 0.6:
            await self._look(file_id, lambda d: d.wait(owner=self._owner, id=file_id, seconds=60))
        try:
            await self._world.ask(
                lambda d: d.retry(owner=self._owner, id=file_id, force=force),
                hang_up_after=self._patience(),
            )
        except Conflict:
            pass  # it is being processed, or was processed already
        except NotFound:
            if not self._history.may_be_gone(file_id, self._owner):
                self._world.broken("I1", f"file {file_id} is not found")

    async def _refresh(self) -> None:
        """After an upgrade of a processor, in all processes at once."""
        self._world.extractor.upgrade(self._chance.choice(STEPS))

        refreshed = await self._world.ask(
            lambda d: d.refresh(owner=self._owner), hang_up_after=self._patience()
        )
        self._world.promises.seen["file out of date"] += refreshed.stale

    async def _delete(self) -> None:
        if (file_id := self._some_file()) is None:
            return
        self._history.deleting[file_id] += 1

        async def act(docstore: Docstore) -> None:
            await docstore.delete(owner=self._owner, id=file_id)
            self._history.deleted.add(file_id)

        try:
            await self._world.ask(act, hang_up_after=self._patience())
        except NotFound:
            if self._history.deleting[file_id] == 1 and self._owner not in self._history.leaving:
                self._world.broken("I1", f"file {file_id} was gone before its deletion")

    async def _leave(self) -> None:
        self._history.leaving.add(self._owner)
        with suppress(NotFound):  # another client of the same owner was faster
            await self._world.ask(lambda d: d.accounts.delete(self._owner))


def _body(chance: Random) -> bytes:
    size = 0 if chance.random() < SPOILED / 2 else chance.randint(1, 600)
    size = MAX_BYTES + 1 if chance.random() < SPOILED / 2 else size
    return (chance.choice(MOODS) + chance.randbytes(size))[:size]


async def _hash(opened: AbstractAsyncContextManager[AsyncIterator[bytes]]) -> str:
    digest = sha256()
    async with opened as body:
        async for chunk in body:
            digest.update(chunk)
    return digest.hexdigest()
