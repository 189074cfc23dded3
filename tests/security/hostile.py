"""Processors that do what a parser does when a file has taken it over."""

import os
import signal
import time
from typing import BinaryIO

from docstore.application.ports.processor import Findings, Limits, ProcessorOptions, Subject
from docstore.domain.names import MediaType

MEBIBYTE = 1024**2


class Hostile:
    """Reads one made-up type of text, and does harm instead."""

    version = "1"
    limits = Limits(seconds=1.0, memory=128 * MEBIBYTE)

    def __init__(self, options: ProcessorOptions) -> None:
        pass

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    def accepts(self, media_type: MediaType) -> bool:
        return media_type == MARKS[type(self)]

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        raise NotImplementedError


class Segfaults(Hostile):
    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        os.kill(os.getpid(), signal.SIGSEGV)
        return Findings()


class Sleeps(Hostile):
    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        time.sleep(3600)
        return Findings()


class Spins(Hostile):
    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        while True:
            pass


class Devours(Hostile):
    limits = Limits(seconds=20.0, memory=128 * MEBIBYTE)

    def extract(self, body: BinaryIO, subject: Subject) -> Findings:
        eaten = []
        while True:
            eaten.append(b"x" * MEBIBYTE)


MARKS: dict[type[Hostile], str] = {
    Segfaults: "text/calendar", Sleeps: "text/vcard", Spins: "text/x-rst", Devours: "text/x-tex",
}  # fmt: skip
"""Each takes a type that docstore's sniffer knows."""
BODIES = {
    Segfaults: ("a.ics", b"BEGIN:VCALENDAR\nEND:VCALENDAR\n"),
    Sleeps: ("a.vcf", b"BEGIN:VCARD\nEND:VCARD\n"),
    Spins: ("a.rst", b"words\n"),
    Devours: ("a.tex", b"words\n"),
}
