import os
from collections.abc import Iterator

import pytest

from docstore.entrypoints.http.sharing import SLACK, Share, Tally, shared_table


@pytest.fixture
def table() -> Iterator[int]:
    with shared_table(3) as descriptor:
        yield descriptor


def test_who_has_more_than_another_is_ahead(table: int) -> None:
    first, second, third = (Share(table, place) for place in range(3))
    assert not first.is_ahead()
    first.tell(SLACK)
    assert not first.is_ahead()
    first.tell(SLACK + 1)
    assert first.is_ahead()
    second.tell(5)
    assert first.is_ahead(), "the third has none"
    third.tell(5)
    assert not first.is_ahead()
    first.tell(5 + SLACK + 1)
    assert first.is_ahead()


def test_where_the_system_has_no_files_in_memory_there_is_a_table_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(name: str) -> int:
        raise PermissionError(name)

    monkeypatch.setattr(os, "memfd_create", refused, raising=False)
    with shared_table(2) as table:
        first, second = Share(table, 0), Share(table, 1)
        first.tell(SLACK + 1)
        assert first.is_ahead()
        assert not second.is_ahead()


def test_one_alone_is_never_ahead() -> None:
    with shared_table(1) as table:
        share = Share(table, 0)
        share.tell(1000)
        assert not share.is_ahead()


def test_who_starts_again_has_none(table: int) -> None:
    shares = [Share(table, place) for place in range(3)]
    for share in shares:
        share.tell(9)
    assert not shares[1].is_ahead()
    Share(table, 0)
    assert shares[1].is_ahead()


def test_another_process_sees_it(table: int) -> None:
    share = Share(table, 0)
    child = os.fork()
    if child == 0:  # shares the file, not the objects
        for place in (1, 2):
            Share(table, place).tell(7)
        os._exit(0)
    os.waitpid(child, 0)
    share.tell(7)
    assert not share.is_ahead()
    share.tell(7 + SLACK + 1)
    assert share.is_ahead()


def test_those_that_go_are_told(table: int) -> None:
    shares = [Share(table, place) for place in range(3)]
    tally = Tally(shares[0])
    for connection in range(SLACK + 1):
        tally.add(connection)
    shares[0].tell(len(tally))
    assert shares[0].is_ahead()
    tally.discard(0)
    assert not shares[0].is_ahead()
    tally.discard("never there")
    assert len(tally) == SLACK
