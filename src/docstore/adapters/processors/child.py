"""What a forked child does: give up everything, run one processor on one file, say it, end."""

import os
import traceback
from collections.abc import Sequence
from typing import BinaryIO, Final, NoReturn

from docstore.adapters.processors.confinement import ANSWER_FD, FILE_FD, confine
from docstore.adapters.processors.protocol import Answer, Refused, Run, encode, to_answer
from docstore.adapters.processors.walls import Walls
from docstore.adapters.processors.wording import MAX_MESSAGE, discreet
from docstore.application.ports.processor import Processor, Subject
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode

OUT_OF_MEMORY: Final = 77
"""Exit status of a child that has no memory left to write an answer with."""


def live(
    processor: Processor, order: Run, descriptors: Sequence[int], parent: int, walls: Walls
) -> NoReturn:
    """Never returns, and leaves without the interpreter's clean-up, which is the parent's."""
    status = 1
    try:
        confine(order.bounds, descriptors, parent, walls)
        _write(_answer(processor, order))
        status = 0
    except MemoryError:
        status = OUT_OF_MEMORY
    except BaseException:  # nothing may reach the zygote's own frames
        traceback.print_exc()
    finally:
        os._exit(status)


def _answer(processor: Processor, order: Run) -> bytes:
    with open(FILE_FD, "rb", closefd=False) as body:
        data = encode(_outcome(processor, body, order.subject))
    if len(data) <= order.bounds.result:
        return data
    message = f"more than {order.bounds.result} bytes were found, DOCSTORE_MAX_RESULT_BYTES"
    return encode(Refused(FailureCode.OUTPUT_TOO_LARGE, message))


def _outcome(processor: Processor, body: BinaryIO, subject: Subject) -> Answer:
    try:
        return to_answer(processor.extract(body, subject))
    except ProcessingFailed as error:
        return Refused(error.failure, discreet(str(error)))
    except MemoryError:
        raise
    except ImportError as error:
        traceback.print_exc()
        message = f"the processor could not import {error.name}: only `preload` can"
        return Refused(FailureCode.CRASHED, message[:MAX_MESSAGE])
    except BaseException as error:  # a Rust panic is no Exception
        traceback.print_exc()
        return Refused(
            FailureCode.CRASHED, f"the processor raised {type(error).__name__}"[:MAX_MESSAGE]
        )


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(ANSWER_FD, view) :]
