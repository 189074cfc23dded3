"""The process that all parsers are forked from: parsers loaded, nothing else known.

A worker starts it with an empty environment and one socket. It never imports docstore's settings,
never parses and never has a second thread, so that a fork of it is quick, complete and knows no
secret. It alone forks, waits for and kills children, so a process id is never used after its
process is gone. It ends, and its children with it, when the worker's end of the socket closes.
"""

import gc
import os
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from docstore.adapters.processors import child
from docstore.adapters.processors.brood import Brood
from docstore.adapters.processors.confinement import adopt_orphans, hide_memory
from docstore.adapters.processors.lazy_modules import import_lazy_modules
from docstore.adapters.processors.protocol import (
    PACKET,
    Cause,
    End,
    Kill,
    Ready,
    Report,
    Run,
    Setup,
    Unfit,
    decode_order,
    encode,
)
from docstore.adapters.processors.references import load
from docstore.adapters.processors.walls import best
from docstore.application.ports.processor import Preloads

DESCRIPTORS: Final = 3  # that come with a Run


class Zygote:
    """Follows the orders that come through `worker`."""

    def __init__(self, worker: socket.socket, setup: Setup) -> None:
        self._worker = worker
        self._processors = load(setup.references, setup.options)
        import_lazy_modules()
        for processor in self._processors.values():
            if isinstance(processor, Preloads):
                processor.preload()
        if len(os.listdir("/proc/self/task")) > 1:
            raise RuntimeError("a processor started a thread when it was loaded")
        self._walls = best(setup.highest)
        self._brood = Brood(self._tell)

    def serve(self) -> None:
        """Until the worker is gone."""
        self._tell(Ready(self._walls))
        gc.collect()
        gc.freeze()  # a collection in a child would touch, and so copy, every page
        with self._brood:
            while True:
                self._brood.watch_until(self._worker)
                if not self._obey():
                    return

    def _obey(self) -> bool:
        """Follow the next order; False when the worker has closed its end."""
        packet, descriptors, _, _ = socket.recv_fds(self._worker, PACKET, DESCRIPTORS)
        try:
            if not packet:
                return False
            match decode_order(packet):
                case Run() as order:
                    self._fork(order, descriptors)
                case Kill(id):
                    self._brood.kill(id, Cause.KILLED)
        finally:
            for fd in descriptors:
                os.close(fd)
        return True

    def _fork(self, order: Run, descriptors: Sequence[int]) -> None:
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            self._tell(End(order.id, Cause.FORK))
            return
        if pid == 0:
            processor = self._processors[order.reference]
            child.live(processor, order, descriptors, parent, self._walls)
        self._brood.add(order.id, pid, order.bounds)

    def _tell(self, report: Report) -> None:
        self._worker.send(encode(report))


def main(descriptor: int) -> None:
    """The whole life of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker decides when it is over
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    adopt_orphans()
    hide_memory()
    try:
        with socket.socket(fileno=descriptor) as worker:
            _follow(worker)
    finally:  # a worker that was killed could not
        shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)


def _follow(worker: socket.socket) -> None:
    packet = worker.recv(PACKET)
    if not packet:  # it is gone already
        return
    setup = decode_order(packet)
    if not isinstance(setup, Setup):
        sys.exit("the first order must be a setup")
    try:
        zygote = Zygote(worker, setup)
    except Exception as error:
        worker.send(encode(Unfit(f"{type(error).__name__}: {error}")))
        sys.exit(1)
    with suppress(ConnectionError):  # the worker died while it was being told something
        zygote.serve()
