"""What is said between a worker, the zygote it started, and the children that the zygote forks.

Each message is one msgpack packet of a Unix socket that keeps packets whole. A child's answer is
an attack surface: it is decoded into the types below and nothing else, never unpickled.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from docstore.adapters.processors.walls import Level, Walls
from docstore.application.ports.processor import Findings, Picture, ProcessorOptions, Subject
from docstore.domain.failure import FailureCode
from docstore.domain.findings import Json, Notice
from docstore.domain.names import MediaType

PACKET: Final = 256 * 1024  # bytes; more than any message between worker and zygote

# --- worker to zygote -----------------------------------------------------------------------


class Setup(Struct, frozen=True, tag="setup"):
    """Always first: which processors the children will be asked to run."""

    references: Sequence[str]  # module:Class
    options: ProcessorOptions
    highest: Level = Level.FILES  # of the walls that the kernel has; lower for tests alone


class Bounds(Struct, frozen=True):
    """What one child may use up."""

    seconds: float  # wall clock, and CPU
    memory: int  # bytes resident
    result: int  # bytes written to any file


class Run(Struct, frozen=True, tag="run"):
    """Fork a child. With it travel three descriptors: the file, read-only; for the answer; for
    whatever the child complains of.
    """

    id: int
    reference: str
    subject: Subject
    bounds: Bounds


class Kill(Struct, frozen=True, tag="kill"):
    """Nobody waits for that one any more. Answered with its End all the same."""

    id: int


Order: TypeAlias = Setup | Run | Kill

# --- zygote to worker -----------------------------------------------------------------------


class Ready(Struct, frozen=True, tag="ready"):
    """The processors are loaded, and it is known what their children can be kept from."""

    walls: Walls


class Unfit(Struct, frozen=True, tag="unfit"):
    """The processors cannot be used; the zygote ends."""

    reason: str


class Cause(StrEnum):
    """Who ended a child."""

    ITSELF = "itself"  # it left, or a signal that the zygote did not send
    TIME = "time"
    MEMORY = "memory"
    KILLED = "killed"  # as ordered
    FORK = "fork"  # it never began


class End(Struct, frozen=True, tag="end"):
    """That child is gone, and every process it left behind."""

    id: int
    cause: Cause
    status: int = 0  # as os.waitpid tells it


Report: TypeAlias = Ready | Unfit | End

# --- child to worker, in a file -------------------------------------------------------------

# A name becomes part of a storage key, so a parser that was taken over must not choose it freely.
_Name: TypeAlias = Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9_-]{0,31}\Z")]
_Type: TypeAlias = Annotated[str, Meta(pattern=r"\A[\w.+-]{1,127}/[\w.+-]{1,127}\Z")]
_Message: TypeAlias = Annotated[str, Meta(max_length=1000)]
_Pixels: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000)]


class SentPicture(Struct, frozen=True):
    name: _Name
    media_type: _Type
    width: _Pixels
    height: _Pixels
    data: bytes


class SentNotice(Struct, frozen=True):
    code: _Name
    message: _Message


class Found(Struct, frozen=True, tag="found"):
    """A processor's findings. The facts are JSON text, so that nothing but JSON can be in them."""

    facts: bytes
    text: str | None
    pictures: Sequence[SentPicture]
    warnings: Sequence[SentNotice]
    media_type: _Type | None


class Refused(Struct, frozen=True, tag="refused"):
    """The processor could not do its work, and could still say why."""

    code: FailureCode
    message: _Message


Answer: TypeAlias = Found | Refused

_encoder = msgspec.msgpack.Encoder()
_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_reports: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
_facts: msgspec.json.Decoder[dict[str, object]] = msgspec.json.Decoder(dict[str, object])


class Malformed(ValueError):
    """Not a message of this protocol."""


def encode(message: Order | Report | Answer) -> bytes:
    return _encoder.encode(message)


def decode_order(packet: bytes) -> Order:
    return _orders.decode(packet)


def decode_report(packet: bytes) -> Report:
    return _reports.decode(packet)


def to_answer(findings: Findings) -> Found:
    """Raises TypeError or ValueError when the findings are not what the port says."""
    return Found(
        facts=msgspec.json.encode(findings.facts),
        text=findings.text,
        pictures=[
            SentPicture(p.name, p.media_type, p.width, p.height, p.data) for p in findings.pictures
        ],
        warnings=[SentNotice(w.code, w.message) for w in findings.warnings],
        media_type=findings.media_type,
    )


def decode_answer(data: bytes) -> Findings | Refused:
    """What a child wrote; Malformed when it is anything else."""
    try:
        answer = _answers.decode(data)
        return answer if isinstance(answer, Refused) else _findings(answer)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise Malformed(str(error)) from None


def _findings(found: Found) -> Findings:
    facts: Mapping[str, Json] = _facts.decode(found.facts)  # type: ignore[assignment] # is JSON
    return Findings(
        facts=facts,
        text=found.text,
        pictures=[
            Picture(
                name=p.name,
                media_type=MediaType(p.media_type),
                width=p.width,
                height=p.height,
                data=p.data,
            )
            for p in found.pictures
        ],
        warnings=[Notice(w.code, w.message) for w in found.warnings],
        media_type=MediaType(found.media_type) if found.media_type else None,
    )
