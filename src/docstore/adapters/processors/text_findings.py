"""A text as a processor hands it back: clean, within its limit, described."""

from collections.abc import Mapping, Sequence

from docstore.adapters.processors import kreuzberg_reader
from docstore.adapters.processors.prose import clean, cut, describe
from docstore.application.ports.processor import Findings, ProcessorOptions
from docstore.domain.findings import Json, Notice


def text_findings(
    text: str,
    options: ProcessorOptions,
    facts: Mapping[str, Json] | None = None,
    warnings: Sequence[Notice] = (),
) -> Findings:
    """`facts` and `warnings` with the text and what is told of it."""
    kept, cuts = cut(clean(text), options.max_text_characters)
    if not kept.strip():
        kept = ""
    language = kreuzberg_reader.language(kept) if kept else None
    told: Mapping[str, Json] = {"text": describe(kept, language) if kept else None}
    return Findings(facts={**told, **(facts or {})}, text=kept or None, warnings=[*warnings, *cuts])
