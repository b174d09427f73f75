"""How many events of one company the journal holds up to a place: what a company's own ledger is made of.

Touches PostgreSQL, reading only; the rows are written by whoever appends (migration 0013).
"""

from uuid import UUID

import asyncpg

from eventgate.db.pool import translated
from eventgate.journal.cursors import Cursor
from eventgate.journal.times import ms_of


class CompanyTotals:
    """Every call raises Unavailable where the database is away."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def stored(self, company: UUID) -> int:
        """How many events of the company were ever stored."""
        with translated():
            total: int | None = await self._pool.fetchval(
                "SELECT total FROM journal_companies WHERE company = $1 ORDER BY position DESC LIMIT 1", company
            )
        return total or 0

    async def stored_upto(self, company: UUID, cursor: Cursor) -> int | None:
        """How many of them up to and including ``cursor``; None where that is further back than anybody counted."""
        if cursor.position == 0:
            return 0
        with translated():
            row = await self._pool.fetchrow(
                """SELECT counted_from,
                          (SELECT total FROM journal_companies
                           WHERE company = $1 AND position < $2 ORDER BY position DESC LIMIT 1) AS before,
                          (SELECT events FROM journal_companies WHERE company = $1 AND position = $2) AS within,
                          (SELECT events FROM journal WHERE position = $2) AS all_within
                   FROM journal_origin""",
                company, cursor.position,
            )  # fmt: skip
            if cursor.position < row["counted_from"]:
                return None
            if cursor.position == row["counted_from"]:  # one sum up to there
                return await self._sum_upto(company, cursor.position)
            within = row["within"] or 0
            if within and cursor.index < (row["all_within"] or 0) - 1:
                within = await self._pool.fetchval(
                    """SELECT count(*) FROM journal j JOIN events e ON e.batch = j.batch
                       WHERE j.position = $2 AND e.id BETWEEN j.first_id AND j.last_id
                       AND e.company = $1 AND e.index <= $3""",
                    company, *cursor,
                )  # fmt: skip
        return (row["before"] or 0) + within

    async def waiting_since(self, company: UUID, cursor: Cursor) -> int | None:
        """When the first batch with events of the company that ``cursor`` has not finished was committed, in ms."""
        with translated():
            moment = await self._pool.fetchval(
                """SELECT j.committed FROM journal_companies c JOIN journal j USING (position)
                   WHERE c.company = $1 AND c.position >= $2 AND c.events > 0
                   AND (c.position > $2 OR j.events > $3::integer + 1) ORDER BY c.position LIMIT 1""",
                company, *cursor,
            )  # fmt: skip
        return None if moment is None else ms_of(moment)

    async def _sum_upto(self, company: UUID, position: int) -> int:
        total: int | None = await self._pool.fetchval(
            "SELECT total FROM journal_companies WHERE company = $1 AND position = $2", company, position
        )
        return total or 0
