"""How much memory transfers take: the API and the worker, not the children that parse."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from places import MIB
from plan import Plan, Played
from processes import forget_peaks, resident, settle, with_words
from stage import Measured, Stage

PARALLEL: Final = 20
WARMING: Final = 200  # small uploads after which a server has loaded what it needs
USUAL: Final = 64 * MIB  # bytes of each transfer
LONG: Final = 1_000_000_000
_PROCESSES: Final = ("_api", "_worker")  # words of the command lines of docstore's own children

Measure = Callable[[Stage], Measured]


def upload_memory(*, long: bool) -> Measure:
    def measure(stage: Stage) -> Measured:
        plan = stage.target.upload(
            size=LONG if long else USUAL,
            source=str(stage.source),
            connections=PARALLEL,
            requests=PARALLEL,
            keep_locations=True,
        )
        measured, played = over_idle(stage, plan)
        stage.parallel = played.locations
        return measured

    return measure


def download_memory(*, long: bool) -> Measure:
    def measure(stage: Stage) -> Measured:
        if not stage.parallel:
            upload_memory(long=long)(stage)
        plan = stage.target.content(stage.parallel, connections=PARALLEL, requests=PARALLEL)
        return over_idle(stage, plan)[0]

    return measure


def over_idle(stage: Stage, plan: Plan) -> tuple[Measured, Played]:
    warm = stage.target.upload(size=10 * 1024, connections=4, requests=WARMING, keep_locations=True)
    locations = stage.prepared(warm).locations
    stage.prepared(stage.target.content(locations, connections=4, requests=WARMING))
    settle(*stage.target.pids)
    pids = with_words(stage.target.pid, _PROCESSES)
    forget_peaks(pids)
    stage.idle = stage.idle or resident(
        pids
    )  # before all transfers: what is kept after them counts
    measured, played = stage.moved(plan, settles=False)
    over = resident(pids, peak=True) - stage.idle
    note = f"over {stage.idle:.0f} MiB of {len(pids)} processes, at {measured.value:,.0f} MB/s"
    return replace(measured, value=over, note=f"{note} {measured.note}".strip()), played
