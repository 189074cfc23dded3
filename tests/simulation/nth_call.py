"""Weather with one fault, at a chosen port call: to try them all, one after the other."""

import asyncio
from enum import StrEnum
from typing import Final

from docstore.domain.errors import OutOfSpace, Unavailable
from simulation.process import Dead, Process


class Mode(StrEnum):
    """What happens at the chosen call."""

    FAIL_BEFORE = "fails before it takes effect"
    FULL = "fails for want of room"
    FAIL_AFTER = "fails after it took effect"
    CRASH_BEFORE = "is not reached, the process dies"
    CRASH_AFTER = "takes effect, the process dies"
    HANG_UP = "is where the client hangs up"
    HANG_UP_HIDDEN = "is where the client hangs up, and leaving the transaction fails"
    ABANDON = "is where the client hangs up, and each `await` from then on is cancelled"


HANGING_UP: Final = (Mode.HANG_UP, Mode.HANG_UP_HIDDEN, Mode.ABANDON)


class NthCall:
    """Calm but for the call number `nth`, counted from 1. `calls` tells how many there were."""

    def __init__(self, nth: int = 0, mode: Mode = Mode.FAIL_BEFORE) -> None:
        self.calls: list[str] = []
        self.struck: str | None = None  # the call that was hit
        self.victim: asyncio.Task[None] | None = None  # who hangs up
        self._nth = nth
        self._hides_cancellation = False
        self.mode = mode

    async def before(self, process: Process, call: str) -> None:
        self.calls.append(call)
        if self._is_hit(Mode.FAIL_BEFORE, call):
            raise Unavailable(f"{call} failed")
        if self._is_hit(Mode.FULL, call):
            raise OutOfSpace("full")
        if self._is_hit(Mode.CRASH_BEFORE, call):
            self._die(process)
        if self.mode in HANGING_UP and self._is_hit(self.mode, call):
            self._hang_up()
        await asyncio.sleep(0)  # where a cancelled caller learns of it
        if call == "end" and self._hides_cancellation:
            self._hides_cancellation = False
            raise Unavailable("the rollback failed")  # in place of the cancellation

    async def after(self, process: Process, call: str) -> None:
        if self._is_hit(Mode.FAIL_AFTER, call):
            raise Unavailable(f"the answer of {call} was lost")
        if self._is_hit(Mode.CRASH_AFTER, call):
            self._die(process)

    def _is_hit(self, mode: Mode, call: str) -> bool:
        if self.mode is not mode or len(self.calls) != self._nth or self.struck:
            return False
        self.struck = call
        return True

    def _hang_up(self) -> None:
        if self.victim and not self.victim.done():
            self.victim.cancel()
            self._hides_cancellation = self.mode is Mode.HANG_UP_HIDDEN
            if self.mode is Mode.ABANDON:
                asyncio.get_running_loop().call_soon(self._hang_up)

    def _die(self, process: Process) -> None:
        process.is_dead = True
        raise Dead
