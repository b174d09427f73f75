"""The only writer of events: writes that wait are committed together, in groups, on a few connections.

Touches PostgreSQL.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from eventgate.clock import Clock
from eventgate.event import Event
from eventgate.journal.outcome import Appended


class Appender:
    """Append writes to the journal; use it as an asynchronous context manager."""

    def __init__(self, url: str, clock: Clock, *, connections: int, group_events: int = 2_000) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        """Connect. Raises Unavailable("storage-unavailable") where the database is away."""
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit what waits, then disconnect."""
        raise NotImplementedError

    @property
    def backlog(self) -> int:
        """Events that wait for their commit."""
        raise NotImplementedError

    async def append(self, events: Sequence[Event]) -> Appended:
        """Store what is new of one write, whole, and return once it is committed.

        Raises Unavailable("storage-unavailable"): then nothing is acknowledged, and sending it again is safe.
        """
        raise NotImplementedError
