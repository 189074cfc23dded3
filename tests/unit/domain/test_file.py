from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from docstore.domain import keys
from docstore.domain.errors import IllegalTransition
from docstore.domain.file import File
from docstore.domain.findings import Notice, Outcome, Rendition
from docstore.domain.ids import FileId
from docstore.domain.lifecycle import FileStatus
from docstore.domain.names import MediaType
from docstore.testing.builders import A_FAILURE, MOMENT, a_file

ID = FileId(UUID(int=1))
STAGED = keys.staging_key(ID)


def outcome(generation: int) -> Outcome:
    thumbnail = Rendition(
        name="thumbnail",
        media_type=MediaType("image/webp"),
        width=1,
        height=1,
        size=9,
        key=keys.artefact_key(ID, generation, "thumbnail"),
    )
    return Outcome(
        extracted={"pages": generation},
        text_key=keys.text_key(ID, generation),
        renditions=[thumbnail],
        warnings=[Notice("truncated", "long")],
    )


class FileLife(RuleBasedStateMachine):
    """Whatever is asked of a file, in any order, it stays whole."""

    def __init__(self) -> None:
        super().__init__()
        self.file = a_file(id=ID)
        self.now = MOMENT
        self.found: Outcome | None = None
        self.generations = 1

    @rule(seconds=st.integers(0, 600))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def start(self) -> None:
        if self._legal(lambda: self.file.start(self.now), FileStatus.UPLOADED):
            assert self.file.status is FileStatus.PROCESSING

    @rule()
    def succeed(self) -> None:
        found = outcome(self.file.generation)
        path = keys.original_key(ID, self.file.generation)

        def ask() -> File:
            return self.file.succeed(found, storage_path=path, now=self.now)

        if self._legal(ask, FileStatus.PROCESSING):
            self.found = found
            assert self.file.status is FileStatus.PROCESSED
            assert (self.file.storage_path, self.file.processed_at) == (path, self.now)

    @rule()
    def fail(self) -> None:
        if self._legal(lambda: self.file.fail(A_FAILURE, now=self.now), FileStatus.PROCESSING):
            assert self.file.status is FileStatus.FAILED

    @rule(force=st.booleans())
    def again(self, force: bool) -> None:
        legal = [FileStatus.FAILED, *([FileStatus.PROCESSED] if force else [])]
        if self._legal(lambda: self.file.again(force=force, now=self.now), *legal):
            self.generations += 1
            assert self.file.status is FileStatus.PROCESSING

    @rule()
    def its_job_is_lost(self) -> None:
        before = self.file
        if not before.status.is_final:
            self._becomes(before.regenerated(now=self.now))
            self.generations += 1
            assert self.file.status is before.status

    def _legal(self, ask: Callable[[], File], *statuses: FileStatus) -> bool:
        if self.file.status not in statuses:
            with pytest.raises(IllegalTransition):
                ask()
            return False
        self._becomes(ask())
        return True

    def _becomes(self, file: File) -> None:
        assert file.version == self.file.version + 1
        assert file.updated_at == self.now
        self.file = file

    @invariant()
    def it_says_why_exactly_while_it_is_failed(self) -> None:
        assert (self.file.failure is not None) is (self.file.status is FileStatus.FAILED)

    @invariant()
    def every_new_job_has_a_generation_of_its_own(self) -> None:
        assert self.file.generation == self.generations

    @invariant()
    def what_was_found_stays_until_more_is_found(self) -> None:
        if self.found is None:
            assert (self.file.extracted, self.file.processed_at) == (None, None)
            assert self.file.blob_keys() == {STAGED}
        else:
            assert self.file.extracted == self.found.extracted
            assert self.file.text_key == self.found.text_key
            assert list(self.file.renditions) == self.found.renditions
            assert list(self.file.warnings) == self.found.warnings

    @invariant()
    def whatever_it_names_it_may_use(self) -> None:
        assert all(self.file.may_use(key) for key in self.file.blob_keys())
        unnamed = keys.artefact_key(ID, self.file.generation, "unnamed")
        assert self.file.may_use(unnamed) is not self.file.status.is_final

    @invariant()
    def every_key_is_its_own(self) -> None:
        assert {keys.file_of(key) for key in self.file.blob_keys()} == {ID}


TestFileLife = FileLife.TestCase


def processed() -> File:
    path = keys.original_key(ID, 1)
    return a_file(id=ID).start(MOMENT).succeed(outcome(1), storage_path=path, now=MOMENT)


def test_its_keys_are_all_that_it_names() -> None:
    folder = f"files/{ID}/1"
    expected = {f"{folder}/original", f"{folder}/text", f"{folder}/thumbnail"}
    assert processed().blob_keys() == expected


def test_once_final_it_uses_neither_staging_nor_leftovers() -> None:
    file = processed()
    assert not file.may_use(STAGED)
    assert not file.may_use(keys.artefact_key(ID, 1, "left-by-a-dead-attempt"))


def test_a_processor_may_know_the_type_better() -> None:
    docx = MediaType("application/vnd.openxmlformats-officedocument.wordprocessingml.document")
    better = replace(outcome(1), media_type=docx)
    file = a_file(id=ID).start(MOMENT)
    assert file.succeed(better, storage_path=STAGED, now=MOMENT).media_type == docx
    assert file.succeed(outcome(1), storage_path=STAGED, now=MOMENT).media_type == "text/plain"


def test_a_second_press_is_a_conflict() -> None:
    once = processed().again(force=True, now=MOMENT)
    with pytest.raises(IllegalTransition, match="retry is not possible"):
        once.again(force=True, now=MOMENT)
