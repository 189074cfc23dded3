"""What a document's text leaves out, put behind it."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from docstore.adapters.processors.prose import clean

METADATA: Final = ("title", "subject", "authors", "keywords", "description", "sheet_names")
MAX_LINES: Final = 100_000
MAX_VALUE: Final = 10_000  # characters of one piece of metadata


def supplemented(text: str, more: Iterable[str]) -> str:
    """`text`, and those lines of `more` that have words which it does not have, each once."""
    known = set(text.split())
    lines = dict.fromkeys(" ".join(line.split()) for each in more for line in each.split("\n"))
    new = [line for line in islice(lines, MAX_LINES) if not known.issuperset(line.split())]
    return "\n".join(filter(None, (text, *new)))


def metadata_lines(metadata: Mapping[str, Any]) -> Sequence[str]:
    """What people write about a document into the document."""
    values = (metadata.get(name) for name in METADATA)
    lists = (value if isinstance(value, list | tuple) else [value] for value in values)
    return [clean(each)[:MAX_VALUE] for group in lists for each in group if isinstance(each, str)]
