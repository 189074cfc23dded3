"""Where at a server a file is found."""

from urllib.parse import quote


def of_file(file_id: str, *below: str) -> str:
    """An id is what somebody typed, or a server said: it stays one part of the path, so that
    `../auth/me`, or nothing at all, is a file which is not there.
    """
    part = quote(file_id, safe="").replace(".", "%2E") or "-"
    return "/".join(("/files", part, *below))
