from pathlib import Path

import pytest

from unit.docs.packages import installed, own_tests
from unit.docs.pages import run_all

PAGE = "adapters.md"


def test_the_adapter_on_the_page_passes_the_contract(tmp_path: Path) -> None:
    assert " passed" in own_tests(PAGE, tmp_path)


@pytest.mark.anyio
async def test_it_works_by_its_url(tmp_path: Path, elsewhere: Path) -> None:
    with installed(PAGE, tmp_path):
        await run_all(PAGE, {})
    assert b"Hello, SQLite." in (elsewhere / "blobs.db").read_bytes()
    assert not (elsewhere / "data" / "blobs").exists()
