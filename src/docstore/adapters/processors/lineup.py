"""The processors that there are, in the order in which they read a file."""

import logging
from collections.abc import Collection, Iterator, Sequence

from docstore.application.ports.processor import Findings, Processor, RunsAfter, Yields
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.names import MediaType
from docstore.domain.ordering import Unorderable, ordered
from docstore.domain.step import Planned

log = logging.getLogger(__name__)


class Lineup:
    """By name, each behind those that it declares to come after."""

    def __init__(self, processors: Sequence[Processor], *, off: Collection[str] = ()) -> None:
        """Those that are `off` are installed and not used, so they may be declared and mean
        nothing. Raises Unorderable, naming what is wrong.
        """
        by_name = {each.name: each for each in processors}
        if len(by_name) < len(processors):
            names = [each.name for each in processors]
            twice = next(name for name in names if names.count(name) > 1)
            raise Unorderable(f"there are two processors of the name {twice}")
        after = {name: _after(each) for name, each in by_name.items()}
        self._processors = {name: by_name[name] for name in ordered(after, absent=off)}

    def __getitem__(self, name: str) -> Processor:
        return self._processors[name]

    def __iter__(self) -> Iterator[Processor]:
        return iter(self._processors.values())

    def plan(self, media_type: MediaType) -> Sequence[Planned]:
        return [
            Planned(processor=name, version=each.version, after=_after(each))
            for name, each in self._processors.items()
            if _accepts(each, media_type)
        ]


def _accepts(processor: Processor, media_type: MediaType) -> bool:
    """An error of the one must not keep the others from the file."""
    try:
        return processor.accepts(media_type)
    except Exception:
        log.exception(
            "%s cannot say whether it accepts %s, so it does not", processor.name, media_type
        )
        return False


def _after(processor: Processor) -> frozenset[str]:
    return frozenset(processor.after if isinstance(processor, RunsAfter) else ())


def as_declared(processor: Processor, findings: Findings) -> Findings:
    """`findings`; ProcessingFailed when there are some that the processor does not yield."""
    found = findings.kinds()
    if isinstance(processor, Yields) and not found <= set(processor.yields):
        what = ", ".join(sorted(found - set(processor.yields)))
        message = f"{processor.name} found {what}, which it does not declare"
        raise ProcessingFailed(FailureCode.CRASHED, message)
    return findings
