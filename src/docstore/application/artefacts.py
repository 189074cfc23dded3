"""What steps leave in the store. All keys are of one file and one generation, and say of which
step they are, so that an attempt that comes again writes the same bytes to the same places."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

from docstore.application.ports.blob_store import BlobStore
from docstore.application.ports.processor import Findings, Picture
from docstore.domain.findings import Rendition
from docstore.domain.ids import FileId
from docstore.domain.keys import artefact_key, rendition_key, step_text_key, text_key
from docstore.domain.step import Excerpt, StepResult

PIECE: Final = 64 * 1024  # characters of text encoded at once
BETWEEN: Final = b"\n"  # the texts of two steps


@dataclass(frozen=True, slots=True)
class Artefacts:
    """Of one generation of a file."""

    blobs: BlobStore
    file_id: FileId
    generation: int

    async def keep(self, processor: str, findings: Findings) -> StepResult:
        """What was found, made durable."""
        return StepResult(
            facts=findings.facts,
            text=await self._keep_text(processor, findings.text),
            renditions=tuple(
                [await self._keep_picture(processor, each) for each in findings.pictures]
            ),
            warnings=tuple(findings.warnings),
            media_type=findings.media_type,
        )

    def has(self, result: StepResult) -> bool:
        """Whether all that it needs is of this generation."""
        folder = artefact_key(self.file_id, self.generation, "")
        return all(key.startswith(folder) for key in result.blob_keys())

    async def adopt(self, processor: str, result: StepResult) -> StepResult:
        """The same of this generation, from an earlier one. NotFound when that is gone.

        Copied, never named where it lies: what no row names may be swept up at any moment.
        """
        return replace(
            result,
            text=await self._adopt_text(processor, result.text),
            renditions=tuple(
                [await self._adopt_picture(processor, each) for each in result.renditions]
            ),
        )

    async def join(
        self, results: Mapping[str, StepResult]
    ) -> tuple[str | None, Mapping[str, StepResult]]:
        """The key of all their texts in one, and the results with each text as a part of that."""
        texts = {name: found.text for name, found in results.items() if found.text is not None}
        if len(texts) <= 1:
            return next((text.key for text in texts.values()), None), results
        key = text_key(self.file_id, self.generation)
        async with aclosing(self._one_after_the_other([*texts.values()])) as whole:
            await self.blobs.put(key, whole)
        joined, start = dict(results), 0
        for name, text in texts.items():
            part = Excerpt(key=key, start=start, size=text.size)
            joined[name] = replace(results[name], text=part)
            start += text.size + len(BETWEEN)
        return key, joined

    async def _keep_text(self, processor: str, text: str | None) -> Excerpt | None:
        if text is None:
            return None
        size = 0

        async def encoded() -> AsyncIterator[bytes]:
            nonlocal size
            for start in range(0, len(text), PIECE):
                piece = text[start : start + PIECE].encode("utf-8", errors="replace")
                size += len(piece)
                yield piece

        key = step_text_key(self.file_id, self.generation, processor)
        await self.blobs.put(key, encoded())
        return Excerpt(key=key, start=0, size=size)

    async def _keep_picture(self, processor: str, picture: Picture) -> Rendition:
        key = rendition_key(self.file_id, self.generation, processor, picture.name)
        await self.blobs.put(key, _once(picture.data))
        return Rendition(
            name=picture.name,
            media_type=picture.media_type,
            width=picture.width,
            height=picture.height,
            size=len(picture.data),
            key=key,
        )

    async def _adopt_text(self, processor: str, text: Excerpt | None) -> Excerpt | None:
        if text is None:
            return None
        key = step_text_key(self.file_id, self.generation, processor)
        async with aclosing(self._part(text)) as part:
            await self.blobs.put(key, part)
        return Excerpt(key=key, start=0, size=text.size)

    async def _adopt_picture(self, processor: str, found: Rendition) -> Rendition:
        key = rendition_key(self.file_id, self.generation, processor, found.name)
        await self.blobs.copy(found.key, key)
        return replace(found, key=key)

    async def _one_after_the_other(self, texts: Sequence[Excerpt]) -> AsyncGenerator[bytes, None]:
        for nth, text in enumerate(texts):
            if nth:
                yield BETWEEN
            async with aclosing(self._part(text)) as part:
                async for piece in part:
                    yield piece

    async def _part(self, text: Excerpt) -> AsyncGenerator[bytes, None]:
        if text.size == 0:
            return
        async with self.blobs.open(text.key, start=text.start, length=text.size) as body:
            async for piece in body:
                yield piece


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
