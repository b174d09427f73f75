"""Housekeeping of the journal: partitions ahead, yesterday cooled, what is too old dropped. One process does it.

Touches PostgreSQL on a connection of its own, which holds a lock while it works.
"""

from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from eventgate.background import Background, periodically
from eventgate.clock import Clock
from eventgate.db.pool import open_pool, translated
from eventgate.journal import partitions, retention
from eventgate.journal.rejects import Rejects
from eventgate.journal.retention import Policy
from eventgate.journal.times import ms_of, timestamp_of

_LOCK = (1_162_300_496, 3)
_EVERY_SECONDS = 60.0
_COOLED_AT_ONCE = 2

Chore = Callable[[asyncpg.Pool, int], Awaitable[object]]
"""What another room has to tidy: gets connections and the time in milliseconds since the epoch."""


async def open_journal(url: str, *, days_past: int) -> None:
    """Make the partitions that the first writes need; to be called before the port opens. Raises Unavailable."""
    with translated():
        connection = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
        try:
            await partitions.ensure(connection, days_past=days_past)
        finally:
            await connection.close()


class Housekeeping(Background):
    """Keeps house every minute while entered. What fails is logged and tried again the next time."""

    def __init__(self, url: str, clock: Clock, policy: Policy, *, days_past: int, chores: Sequence[Chore] = ()) -> None:
        self._url = url
        self._clock = clock
        self._policy = policy
        self._days_past = days_past
        self._chores = chores

    async def once(self) -> None:
        """Keep house now, unless another process is at it. Raises Unavailable."""
        with translated():
            # Building an index or detaching a partition may wait for a long reader: no timeout.
            pool = await open_pool(self._url, size=2, name="eventgate-housekeeping", command_timeout=86_400)
            try:
                async with pool.acquire() as connection:
                    if await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", *_LOCK):
                        await self._keep_house(connection, Rejects(pool, self._clock))
                        for chore in self._chores:
                            await chore(pool, self._clock.now_ms())
            finally:
                pool.terminate()

    async def _keep_house(self, connection: asyncpg.Connection, rejects: Rejects) -> None:
        policy = self._policy
        now = timestamp_of(self._clock.now_ms())
        await partitions.ensure(connection, days_past=self._days_past)
        await retention.drop_payloads(connection, policy, now)
        await retention.drop_events(connection, policy, now)
        await rejects.forget(older_than_ms=ms_of(now - policy.rejects), at_most=policy.reject_rows)
        # The newest days first, a few at a time, so that partitions ahead never wait for many indexes.
        await partitions.cool(connection, now, _COOLED_AT_ONCE)

    async def _run(self) -> None:
        await periodically(self.once, every=_EVERY_SECONDS, what="housekeeping")
