"""Counts of past days, so that a question about months need not read every event.

Touches PostgreSQL (reads events and journal, owns event_counts, counted_days and counted_until).
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from eventgate.alerts.scope import Scope
from eventgate.alerts.windows import Partitions, Window
from eventgate.background import Background, periodically
from eventgate.clock import Clock
from eventgate.db.pool import translated
from eventgate.ids import first_id, uuid7_ms
from eventgate.query import Query
from eventgate.query.fieldtypes import EVERY_ID

DAYS_AT_ONCE = 3
"""Counting a day takes a moment, in a transaction that should not grow old."""

_SETTLED_MS = 3_600_000
"""A day is counted so long after its end."""

_EVERY_SECONDS, _SOON_SECONDS = 60.0, 1.0

_BATCHES_AT_ONCE = 1_000
_TOO_MANY_BATCHES = 10_000
"""Where counting lags so far behind the journal, it is of no help."""

_COUNT_DAY = """
INSERT INTO event_counts (company, id, kind, sensor, code, category, severity, events)
SELECT company, $1, kind, sensor, code, category, severity, count(*) FROM events WHERE id >= $1 AND id < $2
GROUP BY company, kind, sensor, code, category, severity ORDER BY company
"""
_COUNT_LATE = """
INSERT INTO event_counts (company, id, kind, sensor, code, category, severity, events)
SELECT company, day.low, kind, sensor, code, category, severity, count(*)
FROM counted_days AS day JOIN events ON events.id >= day.low AND events.id < day.high
WHERE events.id >= $1 AND events.id < $2 AND batch = ANY($3)
GROUP BY company, day.low, kind, sensor, code, category, severity
"""
_LATE_BATCHES = "SELECT batch FROM journal WHERE position > $1 AND first_id < $2 ORDER BY position LIMIT $3"

_DAYS = "SELECT low, high FROM counted_days"

# One statement, one snapshot: the counts and the position up to which they go belong together.
_OF_DAYS = """
SELECT counted_until.position, counted.* FROM counted_until LEFT JOIN (
    SELECT id, code, category, severity, sensor, sum(events)::bigint
    FROM event_counts WHERE {conditions} AND id = ANY(${days}::uuid[])
    GROUP BY GROUPING SETS ((id), (code, category, severity), (sensor))
) AS counted ON true
"""

_ORDERS = {">", "<", "isBefore", "isAfter", "isOnOrBefore", "isOnOrAfter"}
_COUNTED_FIELDS = {"categoryId", "alertCode", "edgeId", "serial", "edgeName", "severity", "kind"}


def answers(query: Query) -> bool:
    """Whether counts by day can answer a query for the days that lie wholly within its time."""
    return all(
        condition.field.name in _COUNTED_FIELDS
        or (condition.field.name == "timestamp" and condition.operator.name in _ORDERS)
        for condition in query.conditions
    )


Count = tuple[int | None, str | None, Any, Any, UUID | None, int]
"""Start of a bucket in milliseconds, code, category, severity, sensor, and how many events: of the bucket alone, of
the sensor alone, or of the code with its category and severity; the others are None."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted of a scope for these days, but for what the batches in ``late`` hold of them."""

    days: Collection[Window] = ()
    rows: Sequence[Count] = ()
    late: Sequence[int] = ()


async def counted(connection: asyncpg.Connection, scope: Scope, wanted: Collection[Window]) -> Counted:
    """What is counted of those of the wanted windows that are whole days; nothing where counting lags far behind."""
    known = {Window(*row) for row in await connection.fetch(_DAYS)}
    days = known.intersection(wanted)
    if not days:
        return Counted()
    statement = _OF_DAYS.format(conditions=scope.conditions, days=scope.next_parameter)
    whole = Window(min(days).low, max(days).high)
    found = await connection.fetch(statement, *scope.parameters(whole), [day.low for day in days])
    rows = [(None if day is None else uuid7_ms(day), *row) for _, day, *row in found if row[-1] is not None]
    late = await connection.fetch(_LATE_BATCHES, found[0][0], whole.high, _TOO_MANY_BATCHES)
    return Counted(days, rows, [row["batch"] for row in late]) if len(late) < _TOO_MANY_BATCHES else Counted()


class DayCounts(Background):
    """Keeps the counts while entered, in one process. What fails is logged and tried again the next time."""

    def __init__(self, pool: asyncpg.Pool, partitions: Partitions, clock: Clock) -> None:
        self._pool = pool
        self._partitions = partitions
        self._clock = clock

    async def refresh(self) -> int:
        """Add what came late for the days that are counted, and count a few more; how many. Raises Unavailable."""
        settled = first_id(self._clock.now_ms() - _SETTLED_MS)
        with translated():
            days = [day for day in await self._partitions.within(EVERY_ID) if day.high <= settled]
            async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
                # What this snapshot shows of events is what the batches up to this position hold.
                until = await connection.fetchval("SELECT position FROM counted_until FOR UPDATE")
                head = await connection.fetchval("SELECT coalesce(max(position), $1) FROM journal", until)
                known = [Window(*row) for row in await connection.fetch(_DAYS)]
                await self._forget(connection, [day for day in known if day not in days])
                await self._add_late(connection, [day for day in known if day in days], until)
                new = [day for day in reversed(days) if day not in known][:DAYS_AT_ONCE]
                for day in new:
                    await connection.execute(_COUNT_DAY, *day)
                    await connection.execute("INSERT INTO counted_days (low, high) VALUES ($1, $2)", *day)
                await connection.execute("UPDATE counted_until SET position = $1", head)
        return len(new)

    async def _run(self) -> None:
        await periodically(self._catch_up, every=_EVERY_SECONDS, what="counting past days")

    async def _catch_up(self) -> None:
        counted = await self.refresh()
        while counted == DAYS_AT_ONCE:
            await asyncio.sleep(_SOON_SECONDS)
            counted = await self.refresh()

    async def _add_late(self, connection: asyncpg.Connection, days: Sequence[Window], until: int) -> None:
        if not days:
            return
        whole = Window(min(days).low, max(days).high)
        batches = [row["batch"] for row in await connection.fetch(_LATE_BATCHES, until, whole.high, None)]
        for first in range(0, len(batches), _BATCHES_AT_ONCE):
            await connection.execute(_COUNT_LATE, *whole, batches[first : first + _BATCHES_AT_ONCE])

    async def _forget(self, connection: asyncpg.Connection, days: Sequence[Window]) -> None:
        lows = [day.low for day in days]
        await connection.execute("DELETE FROM event_counts WHERE id = ANY($1)", lows)
        await connection.execute("DELETE FROM counted_days WHERE low = ANY($1)", lows)
