"""What the end of a child says about the file it was reading."""

import os
import signal

from docstore.adapters.processors.child import OUT_OF_MEMORY
from docstore.adapters.processors.protocol import (
    Bounds,
    Cause,
    End,
    Malformed,
    Refused,
    decode_answer,
)
from docstore.application.ports.processor import Findings
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode

_ALLOCATION_REFUSED = b"memory allocation of "
"""Rust's last words before it aborts (library/alloc, `handle_alloc_error`)."""


def judge(end: End, answer: bytes, complaints: bytes, bounds: Bounds) -> Findings:
    """The findings, or ProcessingFailed with the reason.

    `answer` is cut off at one byte more than allowed; `complaints` is what went to stderr.
    """
    _by_cause(end.cause, bounds)
    code = os.waitstatus_to_exitcode(end.status)
    if code < 0:
        raise _by_signal(-code, complaints, bounds)
    if code == OUT_OF_MEMORY:
        raise _out_of_memory(bounds)
    if len(answer) >= bounds.result and code != 0:
        raise _too_much(bounds)
    if code != 0:
        raise ProcessingFailed(FailureCode.CRASHED, "the parser ended without an answer")
    return _by_answer(answer, bounds)


def _by_cause(cause: Cause, bounds: Bounds) -> None:
    match cause:
        case Cause.TIME:
            raise _out_of_time(bounds)
        case Cause.MEMORY:
            raise _out_of_memory(bounds)
        case Cause.FORK:
            raise ProcessingFailed(FailureCode.UNAVAILABLE, "no process could be started for it")
        case Cause.KILLED:
            raise ProcessingFailed(FailureCode.TIMEOUT, "the parser was stopped")


def _by_signal(number: int, complaints: bytes, bounds: Bounds) -> ProcessingFailed:
    if number == signal.SIGXCPU:
        return _out_of_time(bounds)
    if number == signal.SIGABRT and _ALLOCATION_REFUSED in complaints:
        return _out_of_memory(bounds)
    try:
        name = signal.Signals(number).name
    except ValueError:  # a real-time signal has none
        name = f"signal {number}"
    return ProcessingFailed(FailureCode.CRASHED, f"the parser died of {name}")


def _by_answer(data: bytes, bounds: Bounds) -> Findings:
    if len(data) > bounds.result:
        raise _too_much(bounds)
    try:
        answer = decode_answer(data)
    except Malformed:
        message = "the parser ended without an answer"
        raise ProcessingFailed(FailureCode.CRASHED, message) from None
    if isinstance(answer, Refused):
        raise ProcessingFailed(answer.code, answer.message)
    return answer


def _out_of_time(bounds: Bounds) -> ProcessingFailed:
    message = f"not done after {bounds.seconds:g} s (DOCSTORE_PROCESS_SECONDS)"
    return ProcessingFailed(FailureCode.TIMEOUT, message)


def _out_of_memory(bounds: Bounds) -> ProcessingFailed:
    mebibytes = bounds.memory // 1024**2
    message = f"needs more than {mebibytes} MiB of memory (DOCSTORE_PROCESS_MEMORY)"
    return ProcessingFailed(FailureCode.MEMORY, message)


def _too_much(bounds: Bounds) -> ProcessingFailed:
    message = f"found more than {bounds.result} bytes (DOCSTORE_MAX_RESULT_BYTES)"
    return ProcessingFailed(FailureCode.OUTPUT_TOO_LARGE, message)
