"""Is there room left where the journal lives? Asked of the file system once a second.

Touches the file system and one gauge.
"""

import os
from pathlib import Path

from eventgate.clock import Clock
from eventgate.errors import Unavailable
from eventgate.telemetry import DISK_FREE

_ASK_AGAIN_SECONDS = 1.0


class Disk:
    """The free space of the file system that holds ``directory``; None where the database is not ours to watch."""

    def __init__(self, directory: Path | None, minimum_free: int, clock: Clock) -> None:
        self._directory = directory
        self._minimum_free = minimum_free
        self._clock = clock
        self._free = minimum_free
        self._asked = float("-inf")
        if directory is not None:
            self._look(directory)

    def check(self) -> None:
        """Raises Unavailable ``storage-low`` below the minimum."""
        if self._directory is None:
            return
        now = self._clock.monotonic()
        if now - self._asked >= _ASK_AGAIN_SECONDS:
            self._asked = now
            self._look(self._directory)
        if self._free < self._minimum_free:
            raise Unavailable(
                "storage-low",
                "The disk that holds the journal is almost full, so EventGate takes no writes.",
                retry_after=30,
            )

    def _look(self, directory: Path) -> None:
        status = os.statvfs(directory)
        self._free = status.f_bavail * status.f_frsize
        DISK_FREE.set(self._free)
