"""The examples on the pages of `docs/`, found and run as they stand there."""

import ast
import inspect
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Final

DOCS: Final = Path(__file__).parents[3] / "docs"
_FENCED: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME: Final = re.compile(r"# (\S+\.\w+)\n")


@dataclass(frozen=True)
class Block:
    """A fenced block. `line` is where its first line stands on the page, from 1."""

    language: str
    text: str
    line: int

    @property
    def name(self) -> str | None:
        """The file that it is, which its first line says as a comment."""
        found = _NAME.match(self.text)
        return found[1] if found else None


def blocks(page: str) -> list[Block]:
    text = (DOCS / page).read_text()
    return [
        Block(found[1], found[2], text[: found.start(2)].count("\n") + 1)
        for found in _FENCED.finditer(text)
    ]


def files(page: str) -> dict[str, str]:
    """The blocks that are files, by name."""
    return {block.name: block.text for block in blocks(page) if block.name}


@dataclass(frozen=True)
class Example:
    """Code to run, and what the page says that it prints: the `text` block right after it."""

    code: Block
    printed: str | None


def examples(page: str) -> Iterator[Example]:
    """The Python blocks that are no files, in order."""
    found = blocks(page)
    for block, following in zip(found, [*found[1:], None], strict=True):
        if block.language == "python" and block.name is None:
            is_output = following is not None and following.language == "text"
            yield Example(block, following.text if following and is_output else None)


async def run(example: Example, page: str, names: dict[str, Any]) -> str:
    """What it prints. `await` may stand outside of functions, as in `python -m asyncio`."""
    lines = "\n" * (example.code.line - 1) + example.code.text  # so a traceback names the page's
    code = compile(lines, str(DOCS / page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    printed = StringIO()
    with redirect_stdout(printed):
        running = eval(code, names)
        if inspect.isawaitable(running):
            await running
    return printed.getvalue()


async def run_all(page: str, names: dict[str, Any]) -> None:
    """Every example in turn, with the names that those before it have left."""
    for example in examples(page):
        printed = await run(example, page, names)
        if example.printed is not None:
            said = f"{page}, line {example.code.line}: printed {printed!r}, not {example.printed!r}"
            assert printed == example.printed, said
