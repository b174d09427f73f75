"""Reading the journal: from the payloads where they still are, from the events table where not.

Touches PostgreSQL, reading only.
"""

from uuid import UUID

import asyncpg

from eventgate.journal.batch import Batch, Head
from eventgate.journal.cursors import Cursor


class Journal:
    """The journal as its readers see it."""

    def __init__(self, pool: asyncpg.Pool, *, poll_seconds: float = 1.0) -> None:
        raise NotImplementedError

    async def id(self) -> UUID:
        """Which journal this is; a restore from a backup renews it."""
        raise NotImplementedError

    async def head(self) -> Head:
        """The newest batch."""
        raise NotImplementedError

    async def read(self, after: Cursor, *, max_events: int = 5_000, max_bytes: int = 8 << 20) -> list[Batch]:
        """What follows ``after``, whole batches but for the rest of the one it stands in.

        At least one where there is any, however large; [] at the head.
        """
        raise NotImplementedError

    async def wait(self, position: int, timeout: float) -> bool:
        """Wait until there is something after ``position``, at most so many seconds; whether there is."""
        raise NotImplementedError

    def wake(self, _payload: str = "") -> None:
        """Look now: for whoever listens on the channel ``eventgate_journal``."""
        raise NotImplementedError

    async def digest_at(self, position: int) -> bytes | None:
        """The chain's digest at ``position``; None where its row is not there (any more, or yet)."""
        raise NotImplementedError

    async def position_before(self, moment_ms: int) -> int:
        """The last position committed before ``moment_ms`` (milliseconds since the epoch)."""
        raise NotImplementedError

    async def events_between(self, after: Cursor, upto: Cursor) -> int:
        """How many events were stored after one cursor and up to another: lag, and what a rewind would repeat."""
        raise NotImplementedError
