"""Processors that do what a parser taken over, or broken, would do. Loaded inside the jail."""

import ctypes
import os
import resource
import signal
import sys
import time
from mmap import mmap
from typing import BinaryIO, ClassVar

from docstore.adapters.processors.protocol import encode, to_answer
from docstore.application.ports.processor import (
    Findings,
    Limits,
    Picture,
    ProcessorOptions,
    Subject,
)
from docstore.domain.errors import ProcessingFailed
from docstore.domain.failure import FailureCode
from docstore.domain.names import MediaType

MEBIBYTE = 1024**2


class Probe:
    """Accepts the type `x/<name>` alone."""

    version = "1"
    limits = Limits(seconds=1.0, memory=128 * MEBIBYTE)

    def __init__(self, options: ProcessorOptions) -> None:
        self.options = options

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    def accepts(self, media_type: MediaType) -> bool:
        return media_type == f"x/{self.name}"

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        raise NotImplementedError


class Good(Probe):
    limits = Limits(seconds=30.0, memory=256 * MEBIBYTE)

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        picture = Picture(
            name="thumbnail", media_type=MediaType("image/png"), width=2, height=1, data=b"\0png"
        )
        facts = {"text": {"words": 2, "language": None}}
        return Findings(facts=facts, text=body.read().decode(), pictures=[picture])


class Unlimited(Probe):
    """Takes what the settings give to all."""

    limits = Limits()

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        return Findings(text="x" * (self.options.max_result_bytes - 1000))


class Terse(Probe):
    """Has a limit of its own on what it hands back, and breaks it."""

    limits = Limits(seconds=30.0, memory=256 * MEBIBYTE, output=1000)

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        return Findings(text="x" * 2000)


class Secretive(Good):
    """Finds more than it says that it does."""

    yields: ClassVar = ("facts",)


class Inmate(Probe):
    """Tells what it sees of the world."""

    limits = Limits(seconds=30.0, memory=256 * MEBIBYTE)

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        try:
            os.write(body.fileno(), b"x")
            writable = True
        except OSError:
            writable = False
        return Findings(
            facts={
                "environment": sorted(os.environ),
                "descriptors": [fd for fd in range(1024) if _is_open(fd)],
                "settings": [name for name in sys.modules if name.startswith("docstore.settings")],
                "writable": writable,
                "no_new_privileges": ctypes.CDLL(None).prctl(39, 0, 0, 0, 0),
                "core": list(resource.getrlimit(resource.RLIMIT_CORE)),
                "files": list(resource.getrlimit(resource.RLIMIT_NOFILE)),
                "characters": self.options.max_text_characters,
            }
        )


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


class Refuses(Probe):
    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        raise ProcessingFailed(FailureCode.ARCHIVE_TOO_LARGE, "too many members")


class Raises(Probe):
    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        raise LookupError("a secret path: /srv/x")


class ImportsLate(Probe):
    limits = Limits(seconds=30.0, memory=256 * MEBIBYTE)

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        import colorsys

        return Findings(text=colorsys.__name__)


class Segfaults(Probe):
    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        ctypes.string_at(0)
        raise AssertionError("alive")


class Aborts(Probe):
    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        os.abort()


class AbortsForMemory(Probe):
    """As Rust does when an allocation is refused."""

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        os.write(2, b"memory allocation of 4294967296 bytes failed\n")
        os.abort()


class Sleeps(Probe):
    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        time.sleep(3600)
        raise AssertionError("awake")


class SleepsLong(Sleeps):
    limits = Limits(seconds=600.0)


class Spins(Probe):
    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        while True:
            pass


class Devours(Probe):
    """Takes more memory than it may, though no more than the kernel's limit on its addresses."""

    limits = Limits(seconds=10.0, memory=128 * MEBIBYTE)

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        eaten = b"x" * 256 * MEBIBYTE
        time.sleep(3600)
        return Findings(text=str(len(eaten)))


class Demands(Probe):
    """Asks for more addresses than there are, at once, and touches none."""

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        try:
            return Findings(text=str(len(mmap(-1, 2048 * MEBIBYTE))))
        except OSError as error:
            raise MemoryError from error


class Chatters(Probe):
    limits = Limits(seconds=30.0, memory=256 * MEBIBYTE)

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        return Findings(text="x" * 2 * MEBIBYTE)


class Floods(Probe):
    """Writes over its allowance where the answer goes."""

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        while True:
            os.write(4, b"x" * MEBIBYTE)


class Complains(Probe):
    """Writes to stderr without end."""

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        while True:
            os.write(2, b"x" * MEBIBYTE)


class ClosesItsAnswer(Probe):
    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        os.close(4)
        return Findings(text="unheard")


class AnswersTwice(Probe):
    """Says something of its own, and then fails."""

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        os.write(4, encode(to_answer(Findings(text="forged"))))
        raise LookupError("too late")


class Stubborn(Probe):
    """Hears no signal that it may ignore, and goes on."""

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGXCPU, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        while True:
            pass


class Leaves(Probe):
    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        os._exit(0)


class Lies(Probe):
    """Names a picture so that its key would lie elsewhere."""

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        picture = Picture(
            name="../../other", media_type=MediaType("image/png"), width=1, height=1, data=b"x"
        )
        return Findings(pictures=[picture])


class Forks(Probe):
    """Leaves a process behind, in its own group."""

    limits = Limits(seconds=30.0)
    escapes: ClassVar[bool] = False

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        pid = os.fork()
        if pid == 0:
            if self.escapes:
                os.setsid()
            time.sleep(3600)
            os._exit(0)
        return Findings(facts={"left_behind": pid})


class Escapes(Forks):
    """Leaves a process behind, in a session of its own."""

    escapes = True


class KillsItsParent(Probe):
    limits = Limits(seconds=30.0)

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(3600)
        raise AssertionError("awake")


class Unloadable(Good):
    """Works where the tests run, not where it is loaded again."""

    def __init__(self, options: ProcessorOptions) -> None:
        super().__init__(options)
        if options.max_text_characters == 1:
            raise RuntimeError("no such library")
