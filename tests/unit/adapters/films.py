"""Small films for tests: their headers, and frames of zeros."""

import struct
from collections.abc import Mapping

SECONDS = 65.0
FRAMES = 75  # of the AVI, at 25 a second


def matroska(kind: str = "webm", tags: Mapping[str, str] | None = None) -> bytes:
    """EBML (RFC 8794) of a DocType, with a track of pictures and one of sound (RFC 9559)."""
    head = _element("1A45DFA3", _element("4282", kind.encode()), _element("4287", b"\4"))
    info = _element(
        "1549A966",
        _element("2AD7B1", (1_000_000).to_bytes(3, "big")),  # nanoseconds of a tick
        _element("4489", struct.pack(">d", SECONDS * 1000)),
        _element("7BA9", b"A title"),
    )
    picture = _track(1, 1, b"V_VP9", _element("E0", _element("B0", b"\2\x80")))
    rate = _element("B5", struct.pack(">d", 48000.0))
    sound = _track(2, 2, b"A_OPUS", _element("E1", rate, _element("9F", b"\2")))
    simple = (
        _element("67C8", _element("45A3", name.encode()), _element("4487", value.encode()))
        for name, value in (tags or {}).items()
    )
    told = _element("1254C367", _element("7373", _element("63C0"), *simple))
    cluster = _element(
        "1F43B675", _element("E7", b"\0"), _element("A3", b"\x81\0\0\x80", bytes(99))
    )
    return head + _element("18538067", info, _element("1654AE6B", picture, sound), told, cluster)


def avi(tags: Mapping[str, str] | None = None) -> bytes:
    """RIFF, with an index of none of its frames."""
    size = (640, 360)
    about = struct.pack("<14L", 40_000, 0, 0, 0, FRAMES, 0, 1, 0, *size, 0, 0, 0, 0)
    stream = b"vidsXVID" + struct.pack("<10L4H", 0, 0, 0, 1, 25, 0, FRAMES, 0, 0, 0, 0, 0, *size)
    bitmap = struct.pack("<3LHH4s5L", 40, *size, 1, 24, b"XVID", 0, 0, 0, 0, 0)
    streams = _list(b"strl", _chunk(b"strh", stream), _chunk(b"strf", bitmap))
    told = _list(b"INFO", *(_chunk(n.encode(), v.encode()) for n, v in (tags or {}).items()))
    frames = _list(b"movi", *(_chunk(b"00dc", bytes(100)) for _ in range(FRAMES)))
    body = b"AVI " + _list(b"hdrl", _chunk(b"avih", about), streams) + told + frames
    return b"RIFF" + struct.pack("<L", len(body)) + body


def _track(number: int, kind: int, codec: bytes, more: bytes) -> bytes:
    numbers = (_element(id, bytes([value])) for id, value in (("D7", number), ("83", kind)))
    return _element("AE", *numbers, _element("73C5", bytes([number])), _element("86", codec), more)


def _element(id: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes.fromhex(id) + struct.pack(">Q", len(body) | 1 << 56) + body


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<L", len(data)) + data + b"\0" * (len(data) % 2)


def _list(name: bytes, *parts: bytes) -> bytes:
    return _chunk(b"LIST", name + b"".join(parts))
