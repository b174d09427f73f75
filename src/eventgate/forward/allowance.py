"""How fast a replay may go: so many events a second, counted on the clock it is given.

Pure.
"""

from eventgate.clock import Clock

_TURNS_A_SECOND = 5
"""A replay at its limit comes in so many windows a second: small ones, that hold up nothing new for long."""


class Allowance:
    """``rate`` 0: as fast as it goes."""

    def __init__(self, rate: int, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._free_at = clock.monotonic()

    def most(self, widest: int) -> int:
        """How many events a window may have, where the receiver likes ``widest``."""
        return min(widest, max(1, self._rate // _TURNS_A_SECOND)) if self._rate else widest

    def pause(self) -> float:
        """Seconds until the next window may go."""
        return max(self._free_at - self._clock.monotonic(), 0.0)

    def spend(self, events: int) -> None:
        """So many went."""
        if self._rate:
            self._free_at = max(self._free_at, self._clock.monotonic()) + events / self._rate
