"""The ledger of each sink at the end of each minute, for as long as anybody looks back.

Touches PostgreSQL (the table sink_minutes).
"""

from dataclasses import asdict, dataclass
from datetime import datetime

import asyncpg
import orjson

from eventgate.db.pool import Row, translated
from eventgate.journal.times import timestamp_of
from eventgate.sinks.ledger import Ledger

MINUTE_MS = 60_000
_KEPT_MS = 48 * 3_600_000


@dataclass(frozen=True, slots=True)
class MinuteLedger:
    """A ledger as it was at the end of the minute that began at ``minute``."""

    minute: datetime
    generation: int
    ledger: Ledger
    own: Ledger | None


class LedgerMinutes:
    """The minutes of all sinks. Every call raises Unavailable where the database is away."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def note(self, sink: str, at: int, generation: int, ledger: Ledger, own: Ledger | None = None) -> None:
        """How a sink stands at ``at`` (milliseconds); the last word of a minute counts."""
        with translated():
            await self._pool.execute(
                """INSERT INTO sink_minutes (sink, minute, generation, ledger, balances, own)
                   VALUES ($1, $2, $3, $4, $5, $6)
                   ON CONFLICT (sink, minute) DO UPDATE SET generation = $3, ledger = $4, balances = $5, own = $6""",
                sink, timestamp_of(at - at % MINUTE_MS), generation, _text(ledger),
                ledger.balances and (own is None or own.balances), None if own is None else _text(own),
            )  # fmt: skip

    async def between(self, sink: str, start: int, end: int) -> list[MinuteLedger]:
        """The minutes that begin in [start, end), milliseconds since the epoch, the oldest first."""
        with translated():
            rows = await self._pool.fetch(
                """SELECT minute, generation, ledger, own FROM sink_minutes
                   WHERE sink = $1 AND minute >= $2 AND minute < $3 ORDER BY minute""",
                sink, timestamp_of(start), timestamp_of(end),
            )  # fmt: skip
        return [_minute(row) for row in rows]

    async def newest(self, sink: str) -> MinuteLedger | None:
        with translated():
            row = await self._pool.fetchrow(
                "SELECT minute, generation, ledger, own FROM sink_minutes WHERE sink = $1 ORDER BY minute DESC LIMIT 1",
                sink,
            )
        return _minute(row) if row else None

    async def forget(self, now: int) -> None:
        """Delete the minutes that are older than two days."""
        with translated():
            await self._pool.execute("DELETE FROM sink_minutes WHERE minute < $1", timestamp_of(now - _KEPT_MS))


def _text(ledger: Ledger) -> str:
    return orjson.dumps(asdict(ledger)).decode()


def _minute(row: Row) -> MinuteLedger:
    own = None if row["own"] is None else Ledger(**orjson.loads(row["own"]))
    return MinuteLedger(row["minute"], row["generation"], Ledger(**orjson.loads(row["ledger"])), own)
