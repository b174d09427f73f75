"""One connection that commits groups: each as one message, one transaction, one answer.

Settles what can go wrong on the way by the ids: repeats, partitions not made yet, a connection lost in the middle.
Touches PostgreSQL.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from eventgate.clock import Clock
from eventgate.db.pool import CONNECT_SECONDS, translated
from eventgate.errors import Unavailable
from eventgate.event import Event
from eventgate.journal import partitions, payload
from eventgate.journal.group import Group
from eventgate.journal.outcome import Receipt
from eventgate.journal.rows import COLUMNS, Row, copy_body

_COPY = f"COPY events ({COLUMNS}) FROM STDIN (FORMAT binary)"
_LOOK_UP = """
SELECT k.number, e.content_digest, e.batch, e.index, j.position, j.digest
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS k (company, id, number)
JOIN events e ON e.company = k.company AND e.id = k.id
JOIN journal j ON j.batch = e.batch
"""
_SETTINGS = {
    "application_name": "eventgate-append",
    "timezone": "UTC",
    "synchronous_commit": "on",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "5s",
    # The look-up is planned once, for index scans in the one partition an id can be in.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
_BATCHES_AT_A_TIME = 32  # the increment of the sequence
_CLASHES = 10  # a group that meets the same ids elsewhere so often,
_CLASH_SECONDS = 15.0  # or for so long, is given up
_COMMIT_SECONDS = 30.0

_AGAIN = (
    asyncpg.UniqueViolationError,  # ids that are stored already: look them up, copy the rest
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)


class Contended(Unavailable):
    """The database is well, but other transactions hold some of the group's ids and neither commit nor give up."""


class Committer:
    """Commits one group at a time. A lost connection is made again, for ``patience`` seconds without any success."""

    def __init__(self, url: str, clock: Clock, *, patience: float) -> None:
        self._url = url
        self._clock = clock
        self._patience = patience
        self._connection: asyncpg.Connection | None = None
        self._lost_at: float | None = None
        self._batches = iter(range(0))
        self._heard = ""

    async def connect(self) -> None:
        """Connect now. Raises Unavailable."""
        await self._connected()

    async def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def commit(self, group: Group) -> None:
        """Store what is fresh in ``group``, or find it stored.

        Raises Unavailable where the database is away, Contended where others keep the ids, and what PostgreSQL says
        where it refuses the rows: then none of this group is acknowledged.
        """
        own: set[int] = set()
        first = True
        clashes = losses = 0
        started = self._clock.monotonic()
        while True:
            try:
                connection = await self._connected()
                if not first:
                    await self._look_up(connection, group, own)
                first = False
                if group.fresh:
                    batch = await self._draw_batch(connection)
                    own.add(batch)
                    group.committed(await self._copy(connection, batch, group.fresh))
            except _AGAIN:
                clashes += 1
                if clashes == _CLASHES or self._clock.monotonic() - started > _CLASH_SECONDS:
                    raise Contended("busy", "Others are writing the same events. Try again shortly.") from None
            except asyncpg.CheckViolationError:  # no partition for a row: housekeeping is late, or a clock has jumped
                clashes += 1
                if clashes == _CLASHES:
                    raise
                with translated():
                    await partitions.ensure_for(connection, [row.event for row in group.fresh])
            except Unavailable:
                await self.close()
                losses += 1
                if not self._worth_waiting():
                    raise
                await asyncio.sleep(min(0.02 * 2**losses, 0.5))
            else:
                self._lost_at = None
                return

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None:
            with translated():
                connection = await asyncpg.connect(self._url, timeout=CONNECT_SECONDS, server_settings=_SETTINGS)
                # What fails must not carry events into the server's log. Only a superuser may say so.
                if await connection.fetchval("SELECT usesuper FROM pg_user WHERE usename = current_user"):
                    await connection.execute("SET log_min_error_statement = panic")
            connection.add_log_listener(self._hear)
            self._connection = connection
        return self._connection

    def _worth_waiting(self) -> bool:
        now = self._clock.monotonic()
        if self._lost_at is None:
            self._lost_at = now
        return now - self._lost_at < self._patience

    async def _draw_batch(self, connection: asyncpg.Connection) -> int:
        for batch in self._batches:
            return batch
        with translated():
            first = await connection.fetchval("SELECT nextval('journal_batch')")
        self._batches = iter(range(first, first + _BATCHES_AT_A_TIME))
        return next(self._batches)

    async def _copy(self, connection: asyncpg.Connection, batch: int, rows: Sequence[Row]) -> Receipt:
        """Copy the rows and add the journal's, as one message: a transaction that no pause of ours can hold open.

        The driver's public COPY takes a table's name alone; this is the statement it would make, and one more.
        """
        events = [row.event for row in rows]
        contents = hashlib.sha256(b"".join([event.content_digest for event in events])).hexdigest()
        body = copy_body(batch, rows)
        companies, counts = _companies(events)
        statement = (
            f"{_COPY}; CALL journal_append({batch}, {len(rows)}, {len(body)}, '\\x{contents}', "
            f"'{events[0].id}', '{events[-1].id}', '\\x{payload.encode(events).hex()}', '{companies}', '{counts}')"
        )
        self._heard = ""
        with translated():
            await connection._copy_in(statement, body, _COMMIT_SECONDS)  # noqa: SLF001 - see above
        position, digest = self._heard.split()
        return Receipt(int(position), bytes.fromhex(digest))

    def _hear(self, _connection: object, message: Any) -> None:
        if message.severity_en == "INFO":
            self._heard = message.message

    async def _look_up(self, connection: asyncpg.Connection, group: Group, own: set[int]) -> None:
        """Tell apart what others have stored and what an earlier attempt of ours has, whose answer was lost."""
        rows = group.fresh
        with translated():
            records = await connection.fetch(
                _LOOK_UP, [row.event.company for row in rows], [row.event.id for row in rows]
            )
        if records and records[0]["batch"] in own:
            # A batch is all or nothing, and nothing was taken out of the group since: the order is the same.
            group.committed(Receipt(records[0]["position"], records[0]["digest"]))
            return
        group.found(
            {
                rows[record["number"] - 1].key: (record["content_digest"], record["position"], record["index"])
                for record in records
            }
        )


def _companies(events: Sequence[Event]) -> tuple[str, str]:
    """Whose events there are, and how many of each, as two arrays of PostgreSQL."""
    # By number: a UUID hashes and compares in Python, slowly.
    counted: Counter[int] = Counter([event.company.int for event in events])
    companies, counts = ",".join([str(UUID(int=number)) for number in counted]), ",".join(map(str, counted.values()))
    return f"{{{companies}}}", f"{{{counts}}}"
