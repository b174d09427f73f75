"""When each API key was last used: noted in memory on each request, written in the background.

Touches PostgreSQL (api_keys.last_used_at), off the path of any request.
"""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self
from uuid import UUID

import asyncpg
import structlog

from eventgate.access.principal import Principal
from eventgate.clock import Clock
from eventgate.db.pool import translated
from eventgate.errors import Unavailable

EVERY_SECONDS = 30.0

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


class LastUsed:
    """An async context manager: writes every ``every`` seconds, and once more when it is left."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, *, every: float = EVERY_SECONDS) -> None:
        self._pool = pool
        self._clock = clock
        self._every = every
        self._noted: dict[UUID, int] = {}
        self._task: asyncio.Task[None] | None = None

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

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._write_again_and_again(), name="last used")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None, "left without having been entered"
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        await self.write()

    async def _write_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await self.write()
