"""The time, as an argument: wall clock in milliseconds for people, monotonic seconds for waiting.

Touches the operating system's clock and nothing else. Tests hand in a clock they move by hand.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """What a room may ask about time."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is moved; for tests and for replaying a moment."""

    def __init__(self, now_ms: int = 1_763_726_400_000) -> None:
        self._now_ms = now_ms
        self._monotonic = 0.0

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by so many seconds."""
        self._now_ms += int(seconds * 1000)
        self._monotonic += seconds
