"""Where bytes lie in a blob store. Keys are made from ids alone, never from what a client sent.

    staging/<file>                          as received, until the file is processed
    files/<file>/<generation>/original      moved here by the first successful processing
    files/<file>/<generation>/<step>.text                its text
    files/<file>/<generation>/<step>.rendition.<name>    a picture that it made
    files/<file>/<generation>/text          the texts of several steps in one

The generation stands in the key so that what a dead attempt left behind never meets what a later
one writes: once a generation is over, its unreferenced keys stay unreferenced for ever.
"""

from typing import Final
from uuid import UUID

from docstore.domain.ids import FileId

STAGING: Final = "staging/"
FILES: Final = "files/"
AREAS: Final = (STAGING, FILES)


def staging_key(file_id: FileId) -> str:
    return f"{STAGING}{file_id}"


def artefact_key(file_id: FileId, generation: int, name: str) -> str:
    return f"{FILES}{file_id}/{generation}/{name}"


def original_key(file_id: FileId, generation: int) -> str:
    return artefact_key(file_id, generation, "original")


def text_key(file_id: FileId, generation: int) -> str:
    return artefact_key(file_id, generation, "text")


def step_text_key(file_id: FileId, generation: int, processor: str) -> str:
    return artefact_key(file_id, generation, f"{processor}.text")


def rendition_key(file_id: FileId, generation: int, processor: str, name: str) -> str:
    return artefact_key(file_id, generation, f"{processor}.rendition.{name}")


def prefixes(file_id: FileId) -> tuple[str, ...]:
    """Everything that was ever stored for the file begins with one of these."""
    return (staging_key(file_id), f"{FILES}{file_id}/")


def file_of(key: str) -> FileId | None:
    """The file that a key belongs to; None for a key that docstore never made."""
    area, _, rest = key.partition("/")
    if f"{area}/" not in AREAS:
        return None
    name = rest.partition("/")[0]
    try:
        ident = UUID(name)
    except ValueError:
        return None
    return FileId(ident) if str(ident) == name else None
