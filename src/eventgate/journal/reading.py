"""Reading the journal: from the payloads where they still are, from the events table where not.

Touches PostgreSQL, reading only.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from eventgate.db.pool import Row, translated
from eventgate.event import Event
from eventgate.journal import payload
from eventgate.journal.batch import Batch, Head
from eventgate.journal.cursors import Cursor
from eventgate.journal.finding import Committed, find
from eventgate.journal.lookout import Lookout
from eventgate.journal.stored_rows import COLUMNS, event_of
from eventgate.journal.times import ms_of, timestamp_of

_BATCHES = 500  # rows of the journal looked at in one read


class Journal:
    """The journal as its readers see it. Every call raises Unavailable where the database is away.

    ``poll_seconds`` is how long news may take when nobody calls ``wake``.
    """

    def __init__(self, pool: asyncpg.Pool, *, poll_seconds: float = 1.0) -> None:
        self._pool = pool
        self._lookout = Lookout(self._newest, poll_seconds)

    async def id(self) -> UUID:
        """Which journal this is; a restore from a backup renews it."""
        with translated():
            journal_id: UUID = await self._pool.fetchval("SELECT id FROM journal_origin")
        return journal_id

    async def head(self) -> Head:
        """The newest batch."""
        with translated():
            row = await self._pool.fetchrow(
                """(SELECT position, total, digest, committed FROM journal ORDER BY position DESC LIMIT 1)
                   UNION ALL SELECT position, total, digest, 'epoch' FROM journal_origin LIMIT 1"""
            )
        return Head(row["position"], row["total"], row["digest"], ms_of(row["committed"]))

    async def wait(self, position: int, timeout: float) -> bool:
        """Wait until there is something after ``position``, at most so many seconds; whether there is."""
        return await self._lookout.wait(position, timeout)

    def wake(self, _payload: str = "") -> None:
        """Look now: for whoever listens on the channel ``eventgate_journal``."""
        self._lookout.wake()

    async def read(self, after: Cursor, *, max_events: int = 5_000, max_bytes: int = 8 << 20) -> list[Batch]:
        """What follows ``after``, whole batches but for the rest of the one it stands in.

        At least one where there is any, however large; [] at the head.
        """
        with translated():
            async with self._pool.acquire() as connection:
                rows = await connection.fetch(
                    "SELECT * FROM journal WHERE position >= $1 ORDER BY position LIMIT $2", after.position, _BATCHES
                )
                rows = _bounded(_unfinished(rows, after), max_events, max_bytes)
                if not rows:
                    return []
                lost = await self._lost_before(connection, after, rows[0])
                payloads = await payloads_of(connection, rows)
                older = await _from_events(connection, [row for row in rows if row["position"] not in payloads])
        inflated = dict(zip(payloads, await payload.inflate(list(payloads.values())), strict=True))
        batches = []
        for row in rows:
            position = row["position"]
            done = after.index if position == after.position else -1
            if position in inflated:
                events: Sequence[Event] = payload.events_in(inflated[position])
                indexes: Sequence[int] = range(len(events))
                await asyncio.sleep(0)  # a batch takes some milliseconds to decode
            else:
                indexes, events = older[row["batch"]]
            batches.append(_batch(row, done, indexes, events, lost))
            lost = 0
        return batches

    async def find(self, company: UUID, event: UUID) -> Committed | None:
        """A company's event by its id; None where it has none (any more)."""
        return await find(self._pool, company, event)

    async def digest_at(self, position: int) -> bytes | None:
        """The chain's digest at ``position``; None where its row is not there (any more, or yet)."""
        with translated():
            digest: bytes | None = await self._pool.fetchval(
                """SELECT digest FROM journal WHERE position = $1
                   UNION ALL SELECT digest FROM journal_origin WHERE position = $1""",
                position,
            )
        return digest

    async def position_before(self, moment_ms: int) -> int:
        """The last position committed before ``moment_ms`` (milliseconds since the epoch)."""
        with translated():
            position: int = await self._pool.fetchval(
                """SELECT coalesce((SELECT position FROM journal WHERE committed < $1 ORDER BY committed DESC LIMIT 1),
                                   (SELECT position FROM journal_origin))""",
                timestamp_of(moment_ms),
            )
        return position

    async def stored_upto(self, cursor: Cursor) -> int:
        """How many events were ever stored up to and including ``cursor``: lag and ledger are differences of it."""
        with translated():
            count: int | None = await self._pool.fetchval(
                """SELECT total - events + least($2::integer + 1, events) FROM journal WHERE position = $1
                   UNION ALL SELECT total FROM journal_origin WHERE position = $1""",
                *cursor,
            )
        return count or 0

    async def waiting_since(self, cursor: Cursor) -> int | None:
        """When the first batch that ``cursor`` has not finished was committed, in milliseconds; None at the head."""
        with translated():
            moment = await self._pool.fetchval(
                """SELECT committed FROM journal WHERE position >= $1 AND (position > $1 OR events > $2::integer + 1)
                   ORDER BY position LIMIT 1""",
                *cursor,
            )
        return None if moment is None else ms_of(moment)

    async def _newest(self) -> int:
        return (await self.head()).position

    @staticmethod
    async def _lost_before(connection: asyncpg.Connection, after: Cursor, first: Row) -> int:
        """How many events after the cursor went with the front of the journal.

        The front is never taken from under a cursor that was saved: only who starts at the beginning misses it.
        """
        if after.position > 0 or first["position"] == 1:
            return 0
        lost: int = await connection.fetchval("SELECT total FROM journal_origin")
        return lost


def _unfinished(rows: Sequence[Row], after: Cursor) -> Sequence[Row]:
    if rows and rows[0]["position"] == after.position and rows[0]["events"] <= after.index + 1:
        return rows[1:]
    return rows


def _bounded(rows: Sequence[Row], max_events: int, max_bytes: int) -> Sequence[Row]:
    events = size = 0
    for number, row in enumerate(rows):
        events += row["events"]
        size += _memory(row)
        if number and (events > max_events or size > max_bytes):
            return rows[:number]
    return rows


async def payloads_of(connection: asyncpg.Connection, rows: Sequence[Row]) -> dict[int, bytes]:
    """The payloads that are still there, of consecutive rows of the journal, by position."""
    # The bounds on ``committed`` choose the partitions, the positions the rows.
    records = await connection.fetch(
        """SELECT position, payload FROM journal_payloads
           WHERE committed BETWEEN $1 AND $2 AND position BETWEEN $3 AND $4""",
        rows[0]["committed"], rows[-1]["committed"], rows[0]["position"], rows[-1]["position"],
    )  # fmt: skip
    return {record["position"]: record["payload"] for record in records}


async def _from_events(connection: asyncpg.Connection, rows: Sequence[Row]) -> dict[int, tuple[list[int], list[Event]]]:
    """The events of batches whose payload is gone, with their indexes: what is left of them."""
    found: dict[int, tuple[list[int], list[Event]]] = {row["batch"]: ([], []) for row in rows}
    if rows:
        records = await connection.fetch(
            f"""SELECT {COLUMNS} FROM events
                WHERE batch = ANY ($1::bigint[]) AND id BETWEEN $2 AND $3 ORDER BY batch, index""",  # noqa: S608 - our own
            list(found), min(row["first_id"] for row in rows), max(row["last_id"] for row in rows),
        )  # fmt: skip
        for record in records:
            indexes, events = found[record["batch"]]
            indexes.append(record["index"])
            events.append(event_of(record))
    return found


def _memory(row: Row) -> int:
    """About what a batch takes in memory: each text about twice, and the objects around it."""
    size: int = 2 * row["bytes"] + 800 * row["events"]
    return size


def _batch(row: Row, done: int, indexes: Sequence[int], events: Sequence[Event], lost_before: int) -> Batch:
    """The part of a batch after index ``done``."""
    count = row["events"]
    start = next((number for number, index in enumerate(indexes) if index > done), len(indexes))
    rest = events[start:] if start else events
    return Batch(
        position=row["position"],
        committed=ms_of(row["committed"]),
        total=row["total"],
        digest=row["digest"],
        last=count - 1,
        expired=lost_before + count - (done + 1) - len(rest),
        indexes=indexes[start:],
        events=rest,
        size=_memory(row),
    )
