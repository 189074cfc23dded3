from collections.abc import AsyncIterator

import pytest

from docstore.adapters.processors.inline import InlineExtractor
from docstore.application.ports.processor import ProcessorOptions
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.names import MediaType
from unit.adapters import probes
from unit.adapters.jailing import findings_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def extractor() -> InlineExtractor:
    kinds = (probes.Good, probes.Refuses, probes.Raises)
    return InlineExtractor([kind(ProcessorOptions()) for kind in kinds])


async def body() -> AsyncIterator[bytes]:
    yield b"good "
    yield b"words"


async def test_findings_are_those_of_the_willing(extractor: InlineExtractor) -> None:
    [findings] = await findings_of(extractor, MediaType("x/good"), body())
    assert findings.text == "good words"
    assert await findings_of(extractor, MediaType("x/unknown"), body()) == []


@pytest.mark.parametrize(
    ("kind", "code"),
    [("x/refuses", FailureCode.ARCHIVE_TOO_LARGE), ("x/raises", FailureCode.CRASHED)],
)
async def test_every_failure_has_a_code(
    extractor: InlineExtractor, kind: str, code: FailureCode
) -> None:
    with pytest.raises(ProcessingFailed) as caught:
        await findings_of(extractor, MediaType(kind), body())
    assert caught.value.failure is code
    assert "/srv/x" not in str(caught.value)
