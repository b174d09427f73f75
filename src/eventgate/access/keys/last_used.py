"""When each API key was last used: noted in memory on each request, written in the background.

Touches PostgreSQL (api_keys.last_used_at), off the path of any request.
"""

from types import TracebackType
from uuid import UUID

import asyncpg
import structlog

from eventgate.access.principal import Principal
from eventgate.background import Background, periodically
from eventgate.clock import Clock
from eventgate.db.pool import translated
from eventgate.errors import Unavailable

_EVERY_SECONDS = 30.0

# A key is written once a minute at most, by all workers together. A row that somebody has locked is passed over: what
# changes it matters more, and two workers could wait for one another for ever. No trigger watches this column, so no
# process forgets what it knows.
_WRITE = """
WITH due AS (
    SELECT k.id, u.at FROM unnest($1::uuid[], $2::bigint[]) AS t (id, ms), to_timestamp(t.ms / 1000.0) AS u (at),
           api_keys k
    WHERE k.id = t.id AND (k.last_used_at IS NULL OR k.last_used_at <= u.at - interval '1 minute')
    FOR NO KEY UPDATE OF k SKIP LOCKED
)
UPDATE api_keys k SET last_used_at = due.at FROM due WHERE k.id = due.id
"""

_log = structlog.get_logger()


class LastUsed(Background):
    """An async context manager: writes twice a minute, and once more when it is left."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._noted: dict[UUID, int] = {}

    def note(self, principal: Principal) -> None:
        """Remember that a principal was let in just now."""
        if principal.key is not None:
            self._noted[principal.key] = self._clock.now_ms()

    async def write(self) -> None:
        """Write what was noted, in one statement. While the database is away it stays noted."""
        if not self._noted:
            return
        noted, self._noted = self._noted, {}
        try:
            with translated():
                await self._pool.execute(_WRITE, list(noted), list(noted.values()))
        except Unavailable:
            _log.debug("last use of keys not written; it stays in memory", keys=len(noted))
            self._noted = noted | self._noted

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        await self.write()

    async def _run(self) -> None:
        await periodically(self.write, every=_EVERY_SECONDS, what="writing the last use of keys")
