"""The partitions of events and payloads: made ahead of time, cooled when their day is over, dropped by age.

Touches PostgreSQL's catalogue and the journal's tables.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import asyncpg

from eventgate.event import Event

DAYS_AHEAD = 2
HOURS_AHEAD = 6


async def ensure(connection: asyncpg.Connection | asyncpg.pool.PoolConnectionProxy, *, days_past: int) -> int:
    """Make what is missing of the accepted past and of the next days; how many were made.

    To be called before the first write is taken, and every now and then. The days are those of the database's clock.
    """
    made: int = await connection.fetchval(
        """SELECT ensure_event_days(current_date - $1::integer, current_date + $2::integer)
                + ensure_payload_hours(now(), now() + make_interval(hours => $3))""",
        days_past, DAYS_AHEAD, HOURS_AHEAD,
    )  # fmt: skip
    return made


async def ensure_for(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
    """Make the partitions that just these events need, and those of now."""
    for day in sorted({_day(event.timestamp) for event in events}):
        await connection.execute("SELECT ensure_event_days($1, $1)", day)
    await connection.execute("SELECT ensure_payload_hours(now(), now() + make_interval(hours => $1))", HOURS_AHEAD)


def _day(ms: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).date()
