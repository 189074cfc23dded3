"""Many rows, stored once for all rounds, through the API: the schema is docstore's own business."""

import time
from pathlib import Path
from typing import Final

from targets import Docstore

AT_ONCE: Final = 500  # files of one form
PATIENCE: Final = 600.0  # seconds until all are processed
LOOK: Final = 0.5  # seconds


def seed(data: Path, rows: int) -> list[str]:
    """Fill the data directory; the paths of some of the files."""
    with Docstore.serving(data, durability="relaxed") as target:
        hrefs: list[str] = []
        with target.client() as client:
            while len(hrefs) < rows:
                size = min(AT_ONCE, rows - len(hrefs))
                form = [("file", (f"{n}.bin", b"\0\1%08d" % (len(hrefs) + n))) for n in range(size)]
                items = client.post("/files", files=form).raise_for_status().json()["items"]
                hrefs += [f"/files/{item['id']}" for item in items]
        wait_for(target, rows, "processed")
    return hrefs[:: max(1, rows // 2000)]


def count(target: Docstore, **filters: str) -> int:
    with target.client() as client:
        asked = {"page_size": "1", "total": "exact", **filters}
        found: int = client.get("/files", params=asked).raise_for_status().json()["total"]
    return found


def wait_for(target: Docstore, files: int, *statuses: str, look: float = LOOK) -> None:
    """Until so many have one of `statuses`. `look`: seconds between two looks."""
    until = time.monotonic() + PATIENCE
    while sum(count(target, status=each) for each in statuses) < files:
        if time.monotonic() > until:
            raise SystemExit(f"not all of {files} files are {' or '.join(statuses)} in time")
        time.sleep(look)
