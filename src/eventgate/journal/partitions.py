"""The partitions of events (a day each) and payloads (an hour each): made ahead of time, cooled, dropped.

Nothing here blocks a writer: new ones are attached, old ones detached concurrently, indexes built concurrently.
Touches PostgreSQL's catalogue and the journal's tables; needs a connection outside any transaction.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import asyncpg
import structlog

from eventgate.event import Event
from eventgate.journal.times import timestamp_of

DAYS_AHEAD = 2
HOURS_AHEAD = 6
COOL_AFTER = timedelta(hours=1)

_log = structlog.get_logger()

# What a day gets once it takes no more than stragglers: words in messages, values in data.
_TEXT_INDEXES = {
    "message_words": 'gin (lower(message COLLATE "C") gin_trgm_ops)',
    "data_values": "gin (data jsonb_path_ops)",
}

_PARTITIONS = """
SELECT child.relname AS name, inhdetachpending AS leaving, pg_total_relation_size(child.oid) AS bytes
FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
WHERE inhparent = $1::regclass ORDER BY child.relname
"""


class Partition(NamedTuple):
    """A partition, the time it begins, and its size with its indexes. ``leaving``: its detaching was interrupted."""

    table: str
    name: str
    begins: datetime
    bytes: int
    leaving: bool


async def ensure(connection: asyncpg.Connection, *, days_past: int) -> int:
    """Make what is missing of the accepted past and of the next days; how many were made.

    To be called before the first write is taken, and every now and then. The days are those of the database's clock.
    """
    made: int = await connection.fetchval(
        """SELECT ensure_event_days((now() AT TIME ZONE 'UTC')::date - $1::integer,
                                    (now() AT TIME ZONE 'UTC')::date + $2::integer)
                + ensure_payload_hours(now(), now() + make_interval(hours => $3))""",
        days_past, DAYS_AHEAD, HOURS_AHEAD,
    )  # fmt: skip
    return made


async def ensure_for(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
    """Make the partitions that just these events need, and those of now."""
    for day in sorted({_day(event.timestamp) for event in events}):
        await connection.execute("SELECT ensure_event_days($1, $1)", day)
    await connection.execute("SELECT ensure_payload_hours(now(), now() + make_interval(hours => $1))", HOURS_AHEAD)


async def partitions_of(connection: asyncpg.Connection, table: str) -> list[Partition]:
    """The partitions of ``events`` or ``journal_payloads``, oldest first."""
    rows = await connection.fetch(_PARTITIONS, table)
    return [Partition(table, row["name"], _begin(row["name"]), row["bytes"], row["leaving"]) for row in rows]


async def cool(connection: asyncpg.Connection, now: datetime, at_most: int) -> list[str]:
    """Build the text indexes of at most so many days that ended an hour ago; the names of those days' tables."""
    cooled: list[str] = []
    for partition in reversed(await partitions_of(connection, "events")):
        if len(cooled) == at_most:
            break
        if partition.begins + timedelta(days=1) + COOL_AFTER <= now and await _index(connection, partition.name):
            await connection.execute(f'ANALYZE "{partition.name}"')
            cooled.append(partition.name)
    if cooled:
        await connection.execute("ANALYZE ONLY events")  # autovacuum never does
    return cooled


async def drop(connection: asyncpg.Connection, partition: Partition) -> None:
    """Remove a partition with all that is in it."""
    how = "FINALIZE" if partition.leaving else "CONCURRENTLY"
    await connection.execute(f'ALTER TABLE {partition.table} DETACH PARTITION "{partition.name}" {how}')
    await connection.execute(f'DROP TABLE "{partition.name}"')
    _log.info("partition dropped", partition=partition.name, bytes=partition.bytes)


async def _index(connection: asyncpg.Connection, table: str) -> bool:
    """Build the text indexes that are missing; whether any was. One left half built by a kill is built again."""
    rows = await connection.fetch(
        """SELECT relname AS name, indisvalid AS valid FROM pg_index JOIN pg_class ON oid = indexrelid
           WHERE indrelid = $1::regclass""",
        table,
    )
    there = {row["name"]: row["valid"] for row in rows}
    missing = [name for name in _TEXT_INDEXES if not there.get(f"{table}_{name}")]
    for name in missing:
        index = f"{table}_{name}"
        if index in there:
            await connection.execute(f'DROP INDEX CONCURRENTLY "{index}"')
        await connection.execute(f'CREATE INDEX CONCURRENTLY "{index}" ON "{table}" USING {_TEXT_INDEXES[name]}')
    return bool(missing)


def _begin(name: str) -> datetime:
    digits = name.rsplit("_", 1)[1]
    return datetime.strptime(digits, "%Y%m%d%H" if len(digits) == len("2025112100") else "%Y%m%d").replace(tzinfo=UTC)


def _day(ms: int) -> date:
    return timestamp_of(ms).date()
