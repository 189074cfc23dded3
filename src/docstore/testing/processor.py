"""The contract of `Processor`, for every adapter: ours and yours.

class TestMyProcessor(ProcessorContract):
    processor_class = MyProcessor

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        return a_small_file_it_reads, MediaType("image/x-mine")
"""

import errno
import json
import random
import re
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from io import BytesIO, RawIOBase

import pytest

from docstore.application.ports.processor import (
    Findings,
    Limited,
    Limits,
    Preloads,
    Processor,
    ProcessorOptions,
    RunsAfter,
    Subject,
    Yields,
)
from docstore.domain.errors import ProcessingFailed
from docstore.domain.names import FileName, MediaType

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


class ProcessorContract:
    """Override `processor_class` and the `good` fixture; every test here must pass."""

    processor_class: Callable[[ProcessorOptions], Processor]

    @pytest.fixture
    def processor(self) -> Processor:
        made = type(self).processor_class(ProcessorOptions())
        if isinstance(made, Preloads):
            made.preload()
        return made

    @pytest.fixture
    def good(self) -> tuple[bytes, MediaType]:
        """A small file that the processor reads, and its type."""
        raise NotImplementedError

    def test_it_says_what_it_is(self, processor: Processor) -> None:
        assert NAME.fullmatch(processor.name)
        assert processor.version
        limits = processor.limits if isinstance(processor, Limited) else Limits()
        assert all(n is None or n > 0 for n in (limits.seconds, limits.memory, limits.output))
        after = processor.after if isinstance(processor, RunsAfter) else ()
        assert all(NAME.fullmatch(name) and name != processor.name for name in after)

    def test_another_process_can_import_it(self, processor: Processor) -> None:
        kind = type(processor)
        assert getattr(import_module(kind.__module__), kind.__qualname__) is kind

    def test_it_accepts_by_type_alone(
        self, processor: Processor, good: tuple[bytes, MediaType]
    ) -> None:
        types = [good[1], MediaType("application/x-never-seen"), MediaType("text/plain")]
        answers = [processor.accepts(each) for each in types]
        assert answers[0]
        assert answers == [processor.accepts(each) for each in types]

    def test_a_good_file_gives_findings(
        self, processor: Processor, good: tuple[bytes, MediaType]
    ) -> None:
        findings = _extract(processor, *good)
        json.dumps(findings.facts, allow_nan=False)
        assert findings.text is None or not re.search("[\x00\ud800-\udfff]", findings.text)
        if isinstance(processor, Yields):
            assert findings.kinds() <= set(processor.yields)
        for picture in findings.pictures:
            assert NAME.fullmatch(picture.name)
            assert picture.data
            assert picture.width >= 1
            assert picture.height >= 1

    def test_the_same_bytes_give_the_same_findings(
        self, processor: Processor, good: tuple[bytes, MediaType]
    ) -> None:
        assert _extract(processor, *good) == _extract(processor, *good)

    def test_an_empty_file_is_no_crash(
        self, processor: Processor, good: tuple[bytes, MediaType]
    ) -> None:
        _survive(processor, b"", good[1])

    @pytest.mark.parametrize("seed", range(8))
    def test_noise_is_no_crash(
        self, processor: Processor, good: tuple[bytes, MediaType], seed: int
    ) -> None:
        dice = random.Random(seed)
        data, media_type = good
        noise = dice.randbytes(dice.randrange(1, 4096))
        kept = dice.randrange(len(data))
        _survive(processor, noise, media_type)
        _survive(processor, data[:kept], media_type)
        _survive(processor, data[:kept] + noise, media_type)
        _survive(processor, data[:kept] + noise[:8] + data[kept + 8 :], media_type)

    def test_an_error_of_the_disk_is_not_taken_for_a_broken_file(
        self, processor: Processor, good: tuple[bytes, MediaType]
    ) -> None:
        subject = Subject(name=FileName("file"), media_type=good[1], size=100)
        with pytest.raises(OSError, match="bad sector"):
            processor.extract(_BadDisk(), subject)  # type: ignore[arg-type] # all it takes of one


def _extract(processor: Processor, data: bytes, media_type: MediaType) -> Findings:
    subject = Subject(name=FileName("file"), media_type=media_type, size=len(data))
    return processor.extract(BytesIO(data), subject)


def _survive(processor: Processor, data: bytes, media_type: MediaType) -> None:
    """Findings or ProcessingFailed; any other error passes through and fails the test."""
    with suppress(ProcessingFailed):
        _extract(processor, data, media_type)


class _BadDisk(RawIOBase):
    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return offset

    def tell(self) -> int:
        return 0

    def readinto(self, _: object, /) -> int:
        raise OSError(errno.EIO, "bad sector")
