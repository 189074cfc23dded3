from collections.abc import Callable, Collection, Sequence
from typing import BinaryIO

import pytest

from docstore.adapters.processors.inline import InlineExtractor
from docstore.adapters.processors.jail import Jail
from docstore.adapters.processors.lineup import Lineup, as_declared
from docstore.application.ports.processor import (
    Findings,
    Kind,
    Picture,
    Processor,
    ProcessorOptions,
    Subject,
)
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.names import MediaType
from docstore.domain.ordering import Unorderable
from docstore.domain.step import Planned

TEXT = MediaType("text/plain")


class Plain:
    """Says no more of itself than it must."""

    version = "1"

    def __init__(self, name: str, *types: str) -> None:
        self.name = name
        self._types = types or (TEXT,)

    def accepts(self, media_type: MediaType) -> bool:
        return media_type in self._types

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        return Findings()


class Behind(Plain):
    def __init__(self, name: str, *after: str) -> None:
        super().__init__(name)
        self.after = after


class Choosy(Plain):
    def __init__(self, *yields: Kind) -> None:
        super().__init__("choosy")
        self.yields: Collection[Kind] = yields


def names(lineup: Lineup) -> list[str]:
    return [each.name for each in lineup]


def test_they_read_in_the_order_that_they_declare() -> None:
    processors: list[Processor] = [Behind("a", "c"), Plain("b"), Behind("c", "d"), Plain("d")]
    assert names(Lineup(processors)) == ["b", "d", "c", "a"]


def test_a_plan_is_of_those_that_accept_the_type() -> None:
    lineup = Lineup([Behind("a", "b"), Plain("b", "image/png"), Plain("c")])
    assert lineup.plan(TEXT) == [
        Planned(processor="c", version="1"),
        Planned(processor="a", version="1", after=frozenset({"b"})),
    ]
    assert lineup.plan(MediaType("x/none")) == []


def a_jail(processors: Sequence[Processor]) -> Jail:
    return Jail(processors, options=ProcessorOptions())


class Confused(Plain):
    def accepts(self, media_type: MediaType) -> bool:
        raise LookupError(media_type)


def test_who_cannot_say_what_it_accepts_keeps_nobody_from_the_file(
    caplog: pytest.LogCaptureFixture,
) -> None:
    plan = Lineup([Confused("a"), Plain("b")]).plan(TEXT)
    assert [each.processor for each in plan] == ["b"]
    assert "a cannot say whether it accepts text/plain" in caplog.text


@pytest.mark.parametrize("start", [a_jail, InlineExtractor])
@pytest.mark.parametrize(
    ("processors", "why"),
    [
        ([Behind("a", "b"), Behind("b", "a")], "a after b after a|b after a after b"),
        ([Behind("a", "a")], "a after a"),
        ([Behind("a", "txet")], "txet"),
        ([Plain("a"), Plain("a")], "two processors of the name a"),
    ],
    ids=["circle", "itself", "unknown", "twice"],
)
def test_what_cannot_be_ordered_is_an_error_at_the_start(
    start: Callable[[Sequence[Processor]], object], processors: list[Processor], why: str
) -> None:
    with pytest.raises(Unorderable, match=why):
        start(processors)


def test_who_is_off_is_known_and_not_waited_for() -> None:
    assert names(Lineup([Behind("a", "text")], off=["text"])) == ["a"]


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (Findings(facts={"x": 1}), Kind.FACTS),
        (Findings(text=""), Kind.TEXT),
        (
            Findings(pictures=[Picture(name="p", media_type=TEXT, width=1, height=1, data=b"x")]),
            Kind.RENDITIONS,
        ),
    ],
)
def test_nobody_finds_what_he_does_not_declare(found: Findings, kind: Kind) -> None:
    assert found.kinds() == {kind}
    assert as_declared(Plain("a"), found) is found
    assert as_declared(Choosy(kind), found) is found
    assert as_declared(Choosy(), Findings()) == Findings()
    others = set(Kind) - {kind}
    with pytest.raises(ProcessingFailed, match=f"choosy found {kind}") as refused:
        as_declared(Choosy(*others), found)
    assert refused.value.failure is FailureCode.CRASHED
