"""Archives that would unpack to more than anybody has, or lie about what they hold."""

import gzip
import io
import stat
import struct
import zipfile
from collections.abc import Iterable, Mapping
from typing import Final

MEBIBYTE: Final = 1024**2
_END: Final = b"PK\x05\x06"  # APPNOTE.TXT 4.3.16
_CENTRAL: Final = b"PK\x01\x02"  # 4.3.12


def zipped(members: Mapping[str, bytes | str]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return whole.getvalue()


def heavy(
    name: str, mebibytes: int, small: Mapping[str, bytes | str], *, fill: bytes = b" "
) -> bytes:
    """Holds the small members, and one that unpacks to so much of `fill`."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for each, data in small.items():
            archive.writestr(each, data)
        with archive.open(name, "w", force_zip64=True) as member:
            for _ in range(mebibytes):
                member.write(fill * MEBIBYTE)
    return whole.getvalue()


def lying(archive: bytes, name: str, size: int) -> bytes:
    """The same, but that both headers of the member claim that it unpacks to `size` bytes."""
    data = bytearray(archive)
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        local = file.getinfo(name).header_offset
    struct.pack_into("<L", data, local + 22, size)
    central = data.rfind(name.encode()) - 46
    assert data[central : central + 4] == _CENTRAL
    struct.pack_into("<L", data, central + 24, size)
    return bytes(data)


def crowded(entries: int) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for number in range(entries):
            archive.writestr(f"{number}.txt", "")
    return whole.getvalue()


def forty_two() -> bytes:
    """Ten in each of ten in each of ten: as 42.zip, which nobody unpacks for its last layer."""
    inner = zipped({f"{n}.txt": bytes(10 * MEBIBYTE) for n in range(6)})
    for layer in range(3):
        inner = zipped({f"{layer}{n}.zip": inner + bytes([n]) for n in range(10)})
    return inner


def overlapping(entries: int) -> bytes:
    """Every entry of its directory is the same 8 MiB (D. Fifield, "A better zip bomb", 2019)."""
    data = zipped({"a.txt": bytes(8 * MEBIBYTE)})
    directory = data[data.index(_CENTRAL) : data.index(_END)]
    start = data.index(_CENTRAL)
    end = struct.pack("<4s4H2LH", _END, 0, 0, entries, entries, len(directory) * entries, start, 0)
    return data[:start] + directory * entries + end


def zip64_that_lies() -> bytes:
    """Its directory says to be 16 EiB large and to lie behind the end of the file."""
    data = zipped({"a.txt": "words"})
    much = 2**64 - 1
    record = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, much, much, much, much
    )  # 4.3.14
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(data) - 22, 1)  # 4.3.15
    end = struct.pack("<4s4H2LH", _END, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return data[:-22] + record + locator + end


def escaping(target: str) -> bytes:
    """Members named to land elsewhere, and one that is a link to there."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name in (f"../../../..{target}", target, f"..\\..\\{target}", "a/../../b.txt"):
            archive.writestr(name, "overwritten")
        link = zipfile.ZipInfo("link.txt")
        link.create_system = 3  # Unix
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return whole.getvalue()


def squeezed(mebibytes: int) -> bytes:
    """As gzip."""
    whole = io.BytesIO()
    with gzip.GzipFile(fileobj=whole, mode="wb", compresslevel=1) as file:
        file.writelines(_zeros(mebibytes))
    return whole.getvalue()


def _zeros(mebibytes: int) -> Iterable[bytes]:
    return (bytes(MEBIBYTE) for _ in range(mebibytes))
