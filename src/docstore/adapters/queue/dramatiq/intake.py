"""How many hints may be taken now, and when to look for more."""

import threading
from collections.abc import Callable
from typing import Final

NAP: Final = 0.05  # seconds; of who asks again and again while nothing more is taken in


class Intake:
    """Stands between the thread that reads hints and the `slots` threads that handle them: what
    nobody is free for stays in Redis, for other workers.
    """

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._is_rung = False
        self._is_shut = False
        self._changed = threading.Condition()

    def enter(self, seconds: float) -> bool:
        """Whether a slot was taken; waits for one, but not longer than that."""
        with self._changed:
            if self._is_shut:
                self._changed.wait(NAP)
            elif self._wait(lambda: self._free > 0, seconds):
                self._free -= 1
                return True
            return False

    def leave(self) -> None:
        """A slot is free again."""
        with self._changed:
            self._free += 1
            self._changed.notify_all()

    def rest(self, seconds: float) -> bool:
        """Whether the bell rang within that time, or since the last rest."""
        with self._changed:
            self._wait(lambda: self._is_rung, seconds)
            rung, self._is_rung = self._is_rung, False
            return rung

    def ring(self) -> None:
        """There is a new hint."""
        with self._changed:
            self._is_rung = True
            self._changed.notify_all()

    def shut(self) -> None:
        """Nothing more is taken in."""
        with self._changed:
            self._is_shut = True
            self._changed.notify_all()

    def _wait(self, until: Callable[[], bool], seconds: float) -> bool:
        self._changed.wait_for(lambda: self._is_shut or until(), seconds)
        return not self._is_shut and until()
