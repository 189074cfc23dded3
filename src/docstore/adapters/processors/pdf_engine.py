"""The engine that kreuzberg reads PDFs with: a shared library that it unpacks at its first PDF.

A child of the jail can neither unpack nor open it. So another process is made to unpack it, and
this one loads it: the dynamic linker then knows the path, and opens it for no child again.
"""

import ctypes
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

SECONDS: Final = 30.0  # for an interpreter to start, on a slow machine, and read one page
_SAMPLE: Final = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
_UNPACK: Final = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); import kreuzberg; "
    "kreuzberg.extract_bytes_sync(sys.stdin.buffer.read(), 'application/pdf')"
)


@cache
def load_pdf_engine() -> None:
    """Does nothing when this kreuzberg has its engine elsewhere.

    Raises OSError, which says what to do, when it cannot be loaded from the folder for temporary
    files.
    """
    library = Path(tempfile.gettempdir(), "kreuzberg-pdfium", "libpdfium.so")
    _unpack()
    if library.exists():
        try:
            ctypes.CDLL(os.fspath(library))
        except OSError as error:
            raise _advised(error, library.parent) from error


def _advised(error: OSError, folder: Path) -> OSError:
    if not os.statvfs(folder).f_flag & os.ST_NOEXEC:
        return error
    return OSError(
        f"the engine that reads PDF cannot be loaded from {folder}, whose file system is mounted "
        "noexec: mount it without, or let TMPDIR name a folder on another one"
    )


def _unpack() -> None:
    """In an interpreter of its own: reading starts threads, which no fork may meet."""
    subprocess.run(
        [sys.executable, "-I", "-c", _UNPACK, json.dumps(sys.path)],
        input=_SAMPLE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=SECONDS,
        check=False,  # when it cannot, each PDF will say so
    )
