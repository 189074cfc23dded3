"""What Jupyter notebooks show beside plain text: outputs in HTML, Markdown, LaTeX, JSON."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from docstore.adapters.processors.reading import Members

_SHOWN: Final = ("text/", "application/json", "image/svg+xml")
_TAG: Final = re.compile(r"<[^<>]{0,1000}>")


def more(data: bytes, _: Members) -> Iterator[str]:
    notebook = _mapping(json.loads(data))
    for cell in _list(notebook.get("cells")):
        for output in _list(_mapping(cell).get("outputs")):
            yield from _shown(_mapping(output))
    yield from _about(_mapping(notebook.get("metadata")))


def _shown(output: Mapping[str, Any]) -> Iterator[str]:
    yield _text(output.get("text"))
    yield _text(output.get("traceback"))
    for kind, value in _mapping(output.get("data")).items():
        if kind.startswith(_SHOWN):
            yield _TAG.sub(" ", _text(value))


def _about(metadata: Mapping[str, Any]) -> Iterator[str]:
    kernel, language = (_mapping(metadata.get(key)) for key in ("kernelspec", "language_info"))
    yield _text([kernel.get("display_name"), " ", language.get("name")])


def _text(value: Any) -> str:
    """Notebooks write a text as it is, or as a list of its lines."""
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return "".join(each for each in _list(value) if isinstance(each, str))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
