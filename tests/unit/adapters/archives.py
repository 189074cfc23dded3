"""Archives for tests, made in memory."""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping

from docstore.adapters.media_types.signatures import SignatureSniffer
from docstore.application.ports.processor import ProcessorOptions

SNIFFER = f"{SignatureSniffer.__module__}:{SignatureSniffer.__qualname__}"


def options(**more: int) -> ProcessorOptions:
    """Those of a store, whose processors read files within files."""
    return ProcessorOptions(sniffer=SNIFFER, **more)  # type: ignore[arg-type] # integers all


def zipped(members: Mapping[str, bytes | str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def encrypted_7z() -> bytes:
    """What `7z -mhe=on -p` makes: also the names are encrypted, here with a key of noise."""
    packed = bytes(range(16))
    coder = b"\x24\x06\xf1\x07\x01\x01\x13"  # AES-256 with SHA-256, without salt
    folder = b"\x07\x0b\x01\x00\x01" + coder + b"\x0c\x10\x00"
    header = b"\x17\x06\x00\x01\x09\x10\x00" + folder + b"\x00"
    where = struct.pack("<QQL", len(packed), len(header), zlib.crc32(header))
    start = b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<L", zlib.crc32(where)) + where
    return start + packed + header
