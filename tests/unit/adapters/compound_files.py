"""Compound files ([MS-CFB]) for tests: one folder deep, of streams of at least 4096 bytes."""

import struct
from collections.abc import Mapping
from itertools import pairwise

SECTOR = 512
SMALL = 4096  # bytes; what is shorter would have to lie elsewhere
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
STORAGE, STREAM, ROOT = 1, 2, 5


def compound(streams: Mapping[str, bytes]) -> bytes:
    """`folder/name` or `name`, and what it holds."""
    folders = sorted({name.split("/")[0] for name in streams if "/" in name})
    table: list[int] = []
    body = b""
    places = {}
    for name, data in streams.items():
        assert len(data) >= SMALL
        count = -(-len(data) // SECTOR)
        places[name] = (len(table), len(data))
        table += [len(table) + n + 1 for n in range(count - 1)] + [END]
        body += data.ljust(count * SECTOR, b"\0")
    entries = _entries(folders, places)
    directory_at = len(table)
    sectors = -(-len(entries) // 4)
    table += [directory_at + n + 1 for n in range(sectors - 1)] + [END]
    body += b"".join(entries).ljust(sectors * SECTOR, b"\0")
    fat_at = len(table)
    fats = -(-(len(table) + 2) // 128)
    table += [FAT] * fats
    table += [FREE] * (fats * 128 - len(table))
    body += struct.pack(f"<{len(table)}L", *table)
    return _header(directory_at, fat_at, fats) + body


def _entries(folders: list[str], places: Mapping[str, tuple[int, int]]) -> list[bytes]:
    """The root, then all that lies in it, then what lies in folders; siblings are a chain."""
    top = [*folders, *(name for name in places if "/" not in name)]
    inner = {folder: [n for n in places if n.startswith(f"{folder}/")] for folder in folders}
    numbers: dict[str, int] = {}
    for name in [*top, *(each for names in inner.values() for each in names)]:
        numbers[name] = len(numbers) + 1
    chains = [top, *inner.values()]
    following = {a: b for chain in chains for a, b in pairwise(chain)}
    entries = [_entry("Root Entry", ROOT, FREE, numbers[top[0]], END, 0)]
    for name in numbers:
        right = numbers.get(following.get(name, ""), FREE)
        if name in inner:
            entries.append(_entry(name, STORAGE, right, numbers[inner[name][0]], 0, 0))
        else:
            entries.append(_entry(name.split("/")[-1], STREAM, right, FREE, *places[name]))
    return entries


def _entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    fields = (len(encoded), kind, 1, FREE, right, child, b"", 0, 0, 0, start, size)
    return encoded.ljust(64, b"\0") + struct.pack("<HBBLLL16sLQQLQ", *fields)


def _header(directory: int, fat: int, fats: int) -> bytes:
    fixed = struct.pack(
        "<8s16sHHHHH6sLLLLLLLLLL",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"",
        0, fats, directory, 0, SMALL, END, 0, END, 0, fat,
    )  # fmt: skip
    return fixed.ljust(80, b"\xff") + struct.pack("<108L", *([FREE] * 108))
