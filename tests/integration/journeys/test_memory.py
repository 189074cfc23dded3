"""However large the files and however many at once: the server's memory stays where it was."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from integration.clients import TEXT, final, signed_in, upload
from integration.servers import serving
from integration.transfers import AT_ONCE, MIB, Line, Memory, at_once, warm_up

SIZE: Final = 64 * MIB
MOST: Final = 64 * MIB  # more than idle


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Emptied in the end: what is in it is too large to be kept."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def test_twenty_large_transfers_at_once_take_little_memory(folder: Path) -> None:
    noise, text = folder / "noise.bin", folder / "text.txt"
    noise.write_bytes(os.urandom(MIB) * (SIZE // MIB))
    text.write_bytes(b"The lamp was lit at dusk, 32 B.\n" * (SIZE // 32))
    with serving(folder / "data") as server, signed_in(server) as client:
        line = Line(server, client.headers["Authorization"])
        load_all(client)
        warm_up(line, small(folder), 2)
        memory = Memory(server.children())

        def send(number: int) -> str:
            return line.put(text if number % 5 == 0 else noise, as_form=number % 2 == 0)

        ids = at_once(send, range(AT_ONCE))
        assert {final(client, file_id)["status"] for file_id in ids} == {"processed"}
        assert min(at_once(line.get, ids)) > SIZE
        over = {name: size / MIB for name, size in memory.peaks().items()}
        print(f"\nMiB over idle at the peak: {over}")
        assert over.keys() >= {"_api", "_worker"}
        assert sum(over.values()) <= MOST / MIB


def small(folder: Path) -> Path:
    path = folder / "small.bin"
    path.write_bytes(bytes(2 * MIB))
    return path


def load_all(client: httpx.Client) -> None:
    """All is loaded that is loaded on demand."""
    for data in (TEXT, b"\0" * (2 * MIB), TEXT):
        file_id = upload(client, data)
        assert final(client, file_id)["status"] == "processed"
        assert client.get(f"/files/{file_id}/content").content == data
