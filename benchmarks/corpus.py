"""A folder of files until all are read: how long, in how much memory, and how much of their words.

`python benchmarks/corpus.py --help`. Beside the files may lie `tika_words.json`, or what another
reader found under another name: `{"path/in/folder.pdf": ["words", "in", "lower", "case"], ...}`.
"""

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx

import places
from agreement import Agreement, by_kind, kind, mean_precision, mean_recall, words
from docstore.entrypoints.demo.samples import write_samples
from processes import MemoryWatch
from seeding import wait_for
from targets import Docstore

CONNECTIONS: Final = 4
LOOK: Final = 0.1  # seconds
LEAST: Final = 0.8  # recall; files below it are listed
OUTCOMES: Final = ("processed", "failed")


@dataclass(frozen=True, slots=True)
class Taken:
    """Everything that was measured."""

    seconds: float  # from the first upload to the last outcome
    uploading: float  # seconds of these, until the last upload was acknowledged
    memory: float  # MiB at most, of all processes
    views: Mapping[str, Mapping[str, Any]]  # by the file's path in the folder, as HTTP shows it
    agreements: Mapping[str, Agreement]

    def __str__(self) -> str:
        lines = [self._head(), "", *self._table(), "", *self._errors(), "", *self._weakest()]
        return "\n".join(lines)

    def _head(self) -> str:
        outcomes = Counter(view["status"] for view in self.views.values())
        told = ", ".join(f"{number} {status}" for status, number in outcomes.items())
        return (
            f"{len(self.views)} files: {told}; {self.seconds:.1f} s from the first upload to the "
            f"last outcome (uploads took {self.uploading:.1f} s), "
            f"{self.memory:.0f} MiB of memory at most"
        )

    def _table(self) -> list[str]:
        files = Counter(kind(name) for name in self.views)
        lines = [
            _line(name, files[name], len(each), mean_recall(each), mean_precision(each))
            for name, each in by_kind(self.agreements)
        ]
        every = [*self.agreements.values()]
        total = _line("all", len(self.views), len(every), mean_recall(every), mean_precision(every))
        return [_HEAD, *lines, total] if lines else []

    def _errors(self) -> list[str]:
        return [
            f"{name}: {view['error']['code']}, {view['error']['message']}"
            for name, view in self.views.items()
            if view["error"]
        ]

    def _weakest(self) -> list[str]:
        weak = sorted(self.agreements.items(), key=lambda each: each[1].recall)
        return [
            f"{name}: recall {each.recall:.2f}; not found: {', '.join(each.missing[:8])}"
            for name, each in weak
            if each.recall < LEAST
        ]


_HEAD: Final = "kind    files  compared  recall  precision"


def _line(name: str, files: int, compared: int, *rates: float | None) -> str:
    recall, precision = ("-" if rate is None else f"{rate:.3f}" for rate in rates)
    return f"{name:7} {files:5} {compared:9} {recall:>7} {precision:>10}"


def main(arguments: Sequence[str]) -> int:
    asked = _parsed(arguments)
    with places.folder(places.on_disk()) as place:
        folder = asked.folder or _samples(place)
        data = place / "data"
        data.mkdir()
        with Docstore.serving(
            data, durability="full", more={"DOCSTORE_WORKERS": str(asked.workers)}
        ) as target:
            taken = _taken(target, folder, asked.words or folder / "tika_words.json")
    print(taken)
    if asked.json:
        asked.json.write_text(json.dumps(asdict(taken)))
    return 0


def _taken(target: Docstore, folder: Path, list_of_words: Path) -> Taken:
    theirs = _theirs(list_of_words)
    paths = sorted(each for each in folder.rglob("*") if each.is_file() and each != list_of_words)
    with target.client() as client, MemoryWatch(target.pid) as memory:
        began = time.perf_counter()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            hrefs = [*pool.map(lambda path: _uploaded(client, path), paths)]
        uploading = time.perf_counter() - began
        wait_for(target, len(paths), *OUTCOMES, look=LOOK)
        seconds = time.perf_counter() - began
    names = [path.relative_to(folder).as_posix() for path in paths]
    with target.client() as client:
        views = {
            name: client.get(href).raise_for_status().json()
            for name, href in zip(names, hrefs, strict=True)
        }
        agreements = {
            name: Agreement.of(words(_text(client, href)), theirs[name])
            for name, href in zip(names, hrefs, strict=True)
            if theirs.get(name)
        }
    return Taken(seconds, uploading, memory.peak, views, agreements)


def _uploaded(client: httpx.Client, path: Path) -> str:
    named = f"attachment; filename*=UTF-8''{quote(path.name, safe='')}"
    headers = {"Content-Disposition": named, "Content-Type": "application/octet-stream"}
    answer = client.post("/files", content=path.read_bytes(), headers=headers)
    return str(answer.raise_for_status().headers["Location"])


def _text(client: httpx.Client, href: str) -> str:
    """All that was read of it; a file without text has none."""
    answer = client.get(f"{href}/text")
    return answer.text if answer.status_code != httpx.codes.NOT_FOUND else ""


def _theirs(path: Path) -> Mapping[str, Sequence[str]]:
    if not path.is_file():
        return {}
    found: dict[str, list[str]] = json.loads(path.read_text())
    return found


def _samples(place: Path) -> Path:
    folder = place / "samples"
    folder.mkdir()
    write_samples(folder)
    return folder


def _parsed(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser(description="Have a server read a folder of files.")
    parser.add_argument("folder", nargs="?", type=Path, help="default: the demo's samples")
    parser.add_argument("--words", type=Path, metavar="FILE", help="what another reader found")
    parser.add_argument("--workers", type=int, default=2, help="files that are read at once; 2")
    parser.add_argument("--json", type=Path, metavar="FILE", help="everything, for each file")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
