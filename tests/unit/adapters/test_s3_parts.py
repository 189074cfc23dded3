"""Bytes on their way to S3: in memory while there is room, else on disk."""

import pytest

from docstore.adapters.storage.s3.parts import Part, Room


@pytest.fixture
def room() -> Room:
    return Room(10)


def test_what_is_kept_comes_back(room: Room) -> None:
    part = Part(room)
    assert part.keep(b"abc")
    assert part.keep(b"de")
    assert (part.size, part.pieces(), part.is_in_memory) == (5, [b"abc", b"de"], True)
    part.forget()


def test_without_room_it_goes_to_disk_and_frees_what_it_had(room: Room) -> None:
    part = Part(room)
    assert part.keep(b"abcdef")
    assert not part.keep(b"ghijk")
    part.spill(b"ghijk")
    part.give_back()
    assert room.take(10), "all of it is free"
    assert not part.keep(b"l"), "what is on disk goes on there"
    part.spill(b"l")
    assert (part.size, part.pieces(), part.is_in_memory) == (12, [b"abcdefghijkl"], False)
    part.forget()


def test_room_comes_back_once(room: Room) -> None:
    part = Part(room)
    assert part.keep(b"abcdef")
    assert not room.take(5)
    for _ in range(3):
        part.give_back()  # nothing of it is on disk
        assert not room.take(5)
    for _ in range(3):
        part.forget()
    assert room.take(10)
    assert not room.take(1)
