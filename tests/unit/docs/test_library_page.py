import pytest

from unit.docs.pages import run_all


@pytest.mark.anyio
@pytest.mark.usefixtures("elsewhere")
async def test_the_examples_do_what_the_page_says() -> None:
    await run_all("library.md", {})
