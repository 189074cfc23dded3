import re
from dataclasses import fields

from docstore.adapters.storage.s3.location import Limits, Sizes, location_of
from unit.docs.pages import DOCS

PAGE = (DOCS / "s3.md").read_text()


def test_the_numbers_among_the_options_are_those_of_the_code() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| `([\d.]+)` \|", PAGE, re.MULTILINE))
    known = {
        field.name: str(getattr(defaults, field.name))
        for defaults in (Limits(), Sizes())
        for field in fields(defaults)
    }
    assert told == known


def test_the_other_options_exist() -> None:
    words = {"staging": "b", "secure": "true", "region": "r", "checksums": "sha256"}
    words["public"] = "https://host"
    chapter = PAGE.split("### Options\n")[1].split("\n## ")[0]
    told = set(re.findall(r"^\| `(\w+)` \| (?!`[\d.]+`)", chapter, re.MULTILINE))
    assert told == words.keys()
    location_of("s3://bucket?" + "&".join(f"{name}={word}" for name, word in words.items()))
