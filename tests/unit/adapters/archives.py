"""Archives for tests, made in memory."""

import io
import tarfile
import zipfile
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
