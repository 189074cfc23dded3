import logging

from docstore.entrypoints import sampling
from docstore.entrypoints.sampling import BURST, UNSAMPLED, WINDOW, Sampled


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def record(line: int = 1, **extra: object) -> logging.LogRecord:
    return logging.makeLogRecord({"pathname": "x.py", "lineno": line, **extra})


def test_of_one_kind_a_burst_passes_and_the_next_window_tells_the_rest() -> None:
    clock = Clock()
    sampled = Sampled(clock)
    assert sum(sampled.filter(record()) for _ in range(BURST + 30)) == BURST
    clock.now += WINDOW
    first, second = record(), record()
    assert sampled.filter(first)
    assert vars(first)["suppressed"] == 30
    assert sampled.filter(second)
    assert "suppressed" not in vars(second)


def test_kinds_do_not_count_for_each_other() -> None:
    sampled = Sampled(Clock())
    for _ in range(BURST):
        sampled.filter(record())
    assert not sampled.filter(record())
    assert sampled.filter(record(line=2))
    assert sampled.filter(record(code="another"))


def test_what_each_one_counts_of_always_passes() -> None:
    sampled = Sampled(Clock())
    assert all(sampled.filter(record(**{UNSAMPLED: True})) for _ in range(BURST * 3))


def test_kinds_are_forgotten_when_they_are_too_many() -> None:
    sampled = Sampled(Clock())
    for line in range(sampling.MOST_KINDS * 2):
        sampled.filter(record(line))
    assert len(sampled._counts) == sampling.MOST_KINDS
