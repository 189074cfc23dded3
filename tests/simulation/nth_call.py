"""Weather with one fault, at a chosen port call: to try them all, one after the other."""

import asyncio
from enum import StrEnum

from docstore.domain.errors import Unavailable
from simulation.process import Dead, Process


class Mode(StrEnum):
    """What happens at the chosen call."""

    FAIL_BEFORE = "fails before it takes effect"
    FAIL_AFTER = "fails after it took effect"
    CRASH_BEFORE = "is not reached, the process dies"
    CRASH_AFTER = "takes effect, the process dies"
    HANG_UP = "is where the client hangs up"


class NthCall:
    """Calm but for the call number `nth`, counted from 1. `calls` tells how many there were."""

    def __init__(self, nth: int = 0, mode: Mode = Mode.FAIL_BEFORE) -> None:
        self.calls: list[str] = []
        self.struck: str | None = None  # the call that was hit
        self.victim: asyncio.Task[None] | None = None  # who hangs up
        self._nth = nth
        self._mode = mode

    async def before(self, process: Process, call: str) -> None:
        self.calls.append(call)
        if self._is_hit(Mode.FAIL_BEFORE, call):
            raise Unavailable(f"{call} failed")
        if self._is_hit(Mode.CRASH_BEFORE, call):
            self._die(process)
        if self.victim and self._is_hit(Mode.HANG_UP, call):
            self.victim.cancel()
        await asyncio.sleep(0)  # where a cancelled caller learns of it

    async def after(self, process: Process, call: str) -> None:
        if self._is_hit(Mode.FAIL_AFTER, call):
            raise Unavailable(f"the answer of {call} was lost")
        if self._is_hit(Mode.CRASH_AFTER, call):
            self._die(process)

    def _is_hit(self, mode: Mode, call: str) -> bool:
        if self._mode is not mode or len(self.calls) != self._nth or self.struck:
            return False
        self.struck = call
        return True

    def _die(self, process: Process) -> None:
        process.is_dead = True
        raise Dead
