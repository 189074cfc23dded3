"""1 GiB to S3 by way of docstore, beside the SDK's own `fput_object`, in one run:
`python benchmarks/s3.py --help`.

Needs MinIO (or versitygw), and the `s3` extra.
"""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from minio import Minio

import places

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from integration.clients import TEXT, final, signed_in, upload
from integration.servers import serving
from integration.services.s3 import ACCESS_KEY, SECRET_KEY, S3Server
from integration.services.s3_servers import some_server
from integration.transfers import Line, Memory

BUCKET: Final = "bench"
DIRECT: Final = "direct"
FLOOR: Final = 1.3  # times what the SDK alone takes
MOST: Final = 64  # MiB over idle


@dataclass(frozen=True, slots=True)
class Round:
    direct: float  # seconds
    through: float
    memory: float  # MiB over idle, of API and worker


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args(arguments)
    with places.folder(places.roomiest()) as folder, some_server(folder) as s3:
        print(f"{s3.name}, its data on {places.kind(folder)}", flush=True)
        rounds = measured(s3, folder, places.big_file(folder), asked.rounds)
    ratio = median(one.through / one.direct for one in rounds)
    memory = max(one.memory for one in rounds)
    print(f"median ratio {ratio:.2f} (floor {FLOOR}), most memory {memory:.0f} MiB (floor {MOST})")
    return 0 if ratio <= FLOOR and memory <= MOST else 1


def measured(s3: S3Server, folder: Path, source: Path, count: int) -> Sequence[Round]:
    """In turns, so that both meet the same neighbours."""
    client = Minio(s3.endpoint, ACCESS_KEY, SECRET_KEY, secure=False)
    rounds = []
    with (
        serving(folder / "data", storage_url=s3.url(BUCKET)) as server,
        signed_in(server) as signed,
    ):
        for data in (TEXT, b"\0" * 12 * places.MIB):
            final(signed, upload(signed, data))
        line = Line(server, signed.headers["Authorization"])
        for number in range(count):
            direct = seconds(lambda: client.fput_object(BUCKET, DIRECT, str(source)))
            client.remove_object(BUCKET, DIRECT)
            memory = Memory(server.children())
            ids: list[str] = []
            through = seconds(partial(keep, ids, line, source))
            over = sum(memory.peaks().values()) / places.MIB
            rounds.append(Round(direct, through, over))
            told = f"fput_object {direct:.2f} s, docstore {through:.2f} s, +{over:.0f} MiB"
            print(f"{number}: {told}", flush=True)
            final(signed, ids[0])
            signed.delete(f"/files/{ids[0]}")
    return rounds


def keep(ids: list[str], line: Line, source: Path) -> None:
    ids.append(line.put(source, as_form=False))


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
