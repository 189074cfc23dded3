"""What each level of the jail keeps a parser from. Every attempt is made for real."""

import os
import platform
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from docstore.adapters.processors.jail import Jail
from docstore.adapters.processors.text import TextProcessor
from docstore.adapters.processors.walls import Level
from docstore.adapters.processors.zygote_process import ZygoteFailed
from docstore.application.ports.processor import ProcessorOptions
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.names import MediaType
from unit.adapters import probes
from unit.adapters.breaches import DONE, Breach
from unit.adapters.jailing import OPTIONS, body, extract, findings_of, opened, zygote

STOPPED = (  # and what becomes of it where nothing but limits stands in its way
    ("read_a_file", DONE),
    ("list_a_folder", DONE),
    ("look_at_a_file", DONE),
    ("write_a_file", DONE),
    ("open_its_own_descriptor_again", DONE),
    ("make_a_file_in_memory", DONE),
    ("listen_on_tcp", DONE),
    ("send_by_udp", DONE),
    ("open_a_unix_socket", DONE),
    ("send_to_another_from_a_pair", "ECONNREFUSED"),
    ("fork", DONE),
    ("run_a_program", DONE),
    ("signal_the_parent", DONE),
    ("signal_the_parents_thread", DONE),
    ("signal_the_parent_by_descriptor", DONE),
    ("be_traced", DONE),
    ("raise_a_limit", DONE),
    ("outlive_the_parent", DONE),
    ("be_dumpable", DONE),
)
ALLOWED = ("start_a_thread", "wake_a_thread_by_a_pair", "decode_a_rare_encoding")
NEVER = ("read_the_parents_environment", "read_the_parents_memory", "trace_the_parent")
PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F
<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj
4 0 obj<</Length 38>>stream
BT /F 9 Tf 9 50 Td (The lamp) Tj ET   \nendstream endobj
trailer<</Root 1 0 R>>
%%EOF
"""
REFUSALS = {"EPERM", "EACCES", "EEXIST"}
WALLED = (Level.CALLS, Level.FILES)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def level(request: pytest.FixtureRequest) -> Level:
    return Level(request.param)


@pytest.fixture
async def jail(tmp_path: Path, level: Level) -> AsyncIterator[Jail]:
    kinds = (Breach, probes.Good, probes.ImportsLate, probes.KillsItsParent)
    async with opened(kinds, tmp_path, level) as jail:
        yield jail


async def outcome(jail: Jail, attempt: str) -> object:
    [findings] = await extract(jail, Breach, attempt.encode())
    return findings.facts["outcome"]


@pytest.mark.parametrize("level", [Level.LIMITS], indirect=True)
async def test_limits_alone_stop_none_of_it(jail: Jail) -> None:
    got = {attempt: await outcome(jail, attempt) for attempt, _ in STOPPED}
    assert got == dict(STOPPED)


@pytest.mark.parametrize("level", WALLED, indirect=True)
async def test_the_walls_stop_all_of_it(jail: Jail) -> None:
    before = zygote(jail)
    got = {attempt: await outcome(jail, attempt) for attempt, _ in STOPPED}
    assert {attempt for attempt, each in got.items() if each not in REFUSALS} == set()
    assert zygote(jail) == before


@pytest.mark.parametrize("level", Level, indirect=True)
async def test_nothing_leads_into_the_parents_memory(jail: Jail) -> None:
    got = {attempt: await outcome(jail, attempt) for attempt in NEVER}
    assert set(got.values()) <= REFUSALS


@pytest.mark.parametrize("level", Level, indirect=True)
async def test_what_parsers_need_is_theirs(jail: Jail) -> None:
    got = {attempt: await outcome(jail, attempt) for attempt in ALLOWED}
    assert got == dict.fromkeys(ALLOWED, DONE)


@pytest.mark.parametrize("level", [Level.LIMITS], indirect=True)
async def test_limits_alone_let_it_become_a_program(jail: Jail) -> None:
    with pytest.raises(ProcessingFailed) as caught:
        await outcome(jail, "become_a_program")
    assert caught.value.failure is FailureCode.CRASHED
    assert await outcome(jail, "fork_by_clone3") == "EINVAL"


@pytest.mark.parametrize("level", WALLED, indirect=True)
async def test_the_walls_keep_it_what_it_is(jail: Jail) -> None:
    assert await outcome(jail, "become_a_program") in REFUSALS
    assert await outcome(jail, "fork_by_clone3") == "ENOSYS"  # so that libraries use clone
    assert await outcome(jail, "signal_everybody") in REFUSALS


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x86_64 alone has two tables of calls")
@pytest.mark.parametrize("level", WALLED, indirect=True)
async def test_the_other_table_of_calls_is_death(jail: Jail) -> None:
    with pytest.raises(ProcessingFailed, match="SIGSYS") as caught:
        await outcome(jail, "call_by_another_table")
    assert caught.value.failure is FailureCode.CRASHED


@pytest.mark.parametrize("level", WALLED, indirect=True)
async def test_the_parent_cannot_be_killed(jail: Jail) -> None:
    before = zygote(jail)
    with pytest.raises(ProcessingFailed, match="PermissionError"):
        await extract(jail, probes.KillsItsParent)
    assert zygote(jail) == before
    assert (await extract(jail, probes.Good))[0].text == "good words"


@pytest.mark.parametrize("level", WALLED, indirect=True)
async def test_a_module_that_was_not_preloaded_is_named(jail: Jail) -> None:
    with pytest.raises(ProcessingFailed, match=r"could not import colorsys.*preload"):
        await extract(jail, probes.ImportsLate)


@pytest.mark.parametrize("level", Level, indirect=True)
async def test_it_tells_its_level_and_the_wall_that_is_missing(jail: Jail, level: Level) -> None:
    confinement = jail.confinement()
    assert confinement is not None
    assert confinement.level == level
    assert confinement.is_full == (level is Level.FILES)
    assert ("Landlock (ABI" in confinement.detail) == (level is Level.FILES)
    assert ("seccomp" in confinement.detail) == (level >= Level.CALLS)


def test_it_cannot_tell_before_it_is_open() -> None:
    assert Jail([], options=OPTIONS).confinement() is None


async def test_it_does_not_open_below_the_level_that_is_asked_for(tmp_path: Path) -> None:
    strict = Jail([], options=OPTIONS, folder=tmp_path, lowest=Level.FILES, highest=Level.CALLS)
    with pytest.raises(ZygoteFailed, match=r"DOCSTORE_ISOLATION.*no Landlock"):
        async with strict:
            pass
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("level", Level, indirect=True)
async def test_a_pdf_is_read(level: Level, tmp_path: Path) -> None:
    """Its engine is unpacked and loaded at first use, which no child could do."""
    processor = TextProcessor(ProcessorOptions())
    async with Jail([processor], options=OPTIONS, folder=tmp_path, highest=level) as jail:
        [findings] = await findings_of(jail, MediaType("application/pdf"), body(PDF))
    assert findings.text is not None
    assert "lamp" in findings.text
    assert os.listdir(tmp_path) == []
