from pathlib import Path

import pytest

from unit.docs.packages import installed, own_tests
from unit.docs.pages import run_all

PAGE = "processors.md"


def test_the_processor_on_the_page_passes_the_contract(tmp_path: Path) -> None:
    assert " passed" in own_tests(PAGE, tmp_path)


@pytest.mark.anyio
@pytest.mark.usefixtures("elsewhere")
async def test_it_runs_in_the_jail(tmp_path: Path) -> None:
    with installed(PAGE, tmp_path):
        await run_all(PAGE, {})
