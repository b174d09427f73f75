"""When each session was last used: noted in memory, written in the background, at most once a minute a session.

Touches PostgreSQL (the table sessions), never on the way of a request.
"""

from contextlib import suppress
from types import TracebackType
from uuid import UUID

import asyncpg

from eventgate.background import Background, periodically
from eventgate.clock import Clock
from eventgate.db.pool import translated
from eventgate.errors import Unavailable
from eventgate.journal.times import timestamp_of

_EVERY_SECONDS = 60.0
_MOST_NOTED = 100_000

_WRITE = """
WITH due AS (
    SELECT s.id, n.used_at FROM unnest($1::uuid[], $2::timestamptz[]) AS n (id, used_at), sessions s
    WHERE s.id = n.id AND s.last_used_at < n.used_at
    FOR NO KEY UPDATE OF s SKIP LOCKED
)
UPDATE sessions s SET last_used_at = due.used_at FROM due WHERE s.id = due.id
"""
"""Passes over what another worker writes, or ends, at this moment."""


class SessionUse(Background):
    """Writes while entered, and a last time when left. One in each process."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._noted: dict[UUID, int] = {}

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        with suppress(Unavailable):
            await self.write()

    def last(self, session: UUID) -> int:
        """When this process last saw it, in milliseconds; 0 where it has not, since the last writing."""
        return self._noted.get(session, 0)

    def note(self, session: UUID, now_ms: int) -> None:
        if session in self._noted or len(self._noted) < _MOST_NOTED:
            self._noted[session] = now_ms

    async def write(self) -> None:
        """Write what was noted. Raises Unavailable, and keeps it then."""
        noted = list(self._noted.items())
        if not noted:
            return
        with translated():
            await self._pool.execute(
                _WRITE, [session for session, _ in noted], [timestamp_of(used) for _, used in noted]
            )
        for session, used in noted:
            if self._noted.get(session) == used:
                del self._noted[session]

    async def _run(self) -> None:
        await periodically(self.write, every=_EVERY_SECONDS, what="writing the last use of sessions")
