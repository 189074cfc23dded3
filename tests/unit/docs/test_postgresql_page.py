import re

from docstore.adapters.persistence.sql.postgresql.engine import PARAMETERS
from docstore.adapters.persistence.sql.postgresql.options import PREFIX, Options
from unit.docs.pages import DOCS

PAGE = (DOCS / "postgresql.md").read_text()


def test_every_option_is_on_the_page_with_its_default() -> None:
    told = dict(re.findall(rf"^\| `{PREFIX}(\w+)` \| `?(.*?)`? \|", PAGE, re.M))
    assert set(told) == {name.upper() for name in Options.model_fields}
    for name, field in Options.model_fields.items():
        if told[name.upper()] != "none":
            assert float(told[name.upper()]) == field.default


def test_every_parameter_is_on_the_page() -> None:
    chapter = PAGE.split("## The URL\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.*?`) \|", chapter, re.M)
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == PARAMETERS
