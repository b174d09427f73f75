"""Retention: how long payloads, events and rejects are kept, whatever the cursors say.

A payload that is gone is read from its events; events that are gone are counted as expired by whoever comes for them.
Touches the journal's tables.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from eventgate.ids import first_id
from eventgate.journal.partitions import Partition, drop, partitions_of
from eventgate.journal.times import ms_of

_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Policy:
    """How long and how much is kept. The accepted past must be shorter than ``events``."""

    events: timedelta = timedelta(days=90)
    payloads: timedelta = timedelta(days=7)
    payload_bytes: int = 20 << 30
    rejects: timedelta = timedelta(days=7)
    reject_rows: int = 100_000


async def drop_payloads(connection: asyncpg.Connection, policy: Policy, now: datetime) -> list[str]:
    """Drop the hours beyond the age or, oldest first, beyond the bytes; never the hour that is being written."""
    hours = await partitions_of(connection, "journal_payloads")
    past = [hour for hour in hours if hour.begins + timedelta(hours=1) <= now]
    total = sum(hour.bytes for hour in hours)
    dropped: list[str] = []
    for hour in past:
        if hour.begins + timedelta(hours=1) > now - policy.payloads and total <= policy.payload_bytes:
            break
        await drop(connection, hour)
        total -= hour.bytes
        dropped.append(hour.name)
    return dropped


async def drop_events(connection: asyncpg.Connection, policy: Policy, now: datetime) -> list[str]:
    """Drop the days beyond the age, and the front of the journal that has no event left."""
    days = await partitions_of(connection, "events")
    old = [day for day in days if day.begins + timedelta(days=1) <= now - policy.events]
    for day in old:
        await drop(connection, day)
    living = [day for day in days if day not in old]
    if living:
        await _shorten(connection, living[0])
    return [day.name for day in old]


async def _shorten(connection: asyncpg.Connection, oldest: Partition) -> None:
    """Delete the journal's rows before the first that may have an event left, keeping where the chain goes on.

    Rows from the hindmost cursor on stay, small as they are: they tell its reader how many events are gone. So do
    those of a replay lane under way, or of where it ends if it stands at the very beginning.
    """
    keep = await connection.fetchval(
        """SELECT least((SELECT position FROM journal WHERE last_id >= $1 ORDER BY position LIMIT 1),
                        (SELECT max(position) FROM journal),
                        (SELECT min(position) FROM cursors WHERE position > 0),
                        (SELECT min(coalesce(nullif(replay_position, 0), replay_until_position)) FROM cursors
                         WHERE (replay_position, replay_index) < (replay_until_position, replay_until_index)))""",
        first_id(ms_of(oldest.begins)),
    )
    while keep is not None:
        async with connection.transaction():
            gone = await connection.fetch(
                """DELETE FROM journal WHERE position IN
                       (SELECT position FROM journal WHERE position < $1 ORDER BY position LIMIT $2)
                   RETURNING position, total, digest""",
                keep, _ROWS_AT_ONCE,
            )  # fmt: skip
            if not gone:
                return
            last = max(gone, key=lambda row: row["position"])
            # Of each company the last row up to there stays: its total goes on from it.
            await connection.execute(
                """WITH passed AS (SELECT company, position FROM journal_companies WHERE position <= $1)
                   DELETE FROM journal_companies c USING
                       (SELECT company, max(position) AS newest FROM passed GROUP BY company) kept
                   WHERE c.company = kept.company AND c.position < kept.newest""",
                last["position"],
            )
            await connection.execute("UPDATE journal_origin SET position = $1, total = $2, digest = $3", *last.values())
