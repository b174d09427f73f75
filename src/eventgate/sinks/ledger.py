"""The ledger of a sink: where every event is. A company's sink has one over its company's own events besides.

Touches PostgreSQL, reading only, through the journal's counts of each company. Totals and cursor are one atom, and what
was stored up to the cursor is counted by whoever appends: two hands that must come to the same sum.
"""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from eventgate.journal.companies import CompanyTotals
from eventgate.journal.cursors import Cursor, Cursors, Replay, Standing, Totals, after_all_of
from eventgate.sinks.definition import reader
from eventgate.sinks.generations import Generation, Generations


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where every event is, from the point of view of one lane of a sink.

    ``stored = before + delivered + filtered + dead + expired + pending + foreign``; ``foreign`` are other companies'
    events, which a company's sink passes over. In the live lane ``before`` is what was stored before the place it began
    at (0 unless somebody set its cursor). ``stored`` of a replay is what its range holds.
    """

    stored: int
    before: int
    delivered: int
    filtered: int
    dead: int
    expired: int
    pending: int
    foreign: int = 0

    @property
    def accounted(self) -> int:
        """All that the parts add up to."""
        return self.before + self.delivered + self.filtered + self.dead + self.expired + self.pending + self.foreign

    @property
    def balances(self) -> bool:
        return self.stored == self.accounted


class OwnLedgers:
    """Ledgers over one company's events. Every call raises Unavailable where the database is away.

    None: the sink is no company's, or began before its company's events were counted apart.
    """

    def __init__(self, pool: asyncpg.Pool, cursors: Cursors, generations: Generations) -> None:
        self._totals = CompanyTotals(pool)
        self._cursors = cursors
        self._generations = generations

    async def live(self, sink: str, company: UUID | None, standing: Standing) -> Ledger | None:
        """Of the live lane."""
        if company is None or not await self._cursors.counts_foreign(reader(sink)):
            return None
        began = await self._generations.one(sink, standing.since)
        begins = after_all_of(began.begins or 0) if began else Cursor(0, 0)
        finished, before = await self._upto(company, standing.cursor), await self._upto(company, begins)
        if finished is None or before is None:
            return None
        return _balanced(await self._totals.stored(company), before, finished, standing.totals)

    async def again(self, sink: str, company: UUID | None, generation: Generation, replay: Replay) -> Ledger | None:
        """Of a replay lane that delivers a range of the journal."""
        if company is None or not await self._cursors.counts_foreign(reader(sink)):
            return None
        begins = await self._upto(company, after_all_of(generation.begins or 0))
        finished, ends = await self._upto(company, replay.cursor), await self._upto(company, replay.until)
        if begins is None or finished is None or ends is None:
            return None
        return _balanced(ends - begins, 0, finished - begins, replay.totals)

    async def between(self, company: UUID, after: Cursor, upto: Cursor) -> int:
        """How many of the company's events came after one place and up to another, as far as they were counted."""
        return max((await self._upto(company, upto) or 0) - (await self._upto(company, after) or 0), 0)

    async def waiting_since(self, company: UUID | None, standing: Standing) -> int | None:
        """When the oldest of the company's events that is not finished was stored, in milliseconds."""
        return None if company is None else await self._totals.waiting_since(company, standing.cursor)

    async def _upto(self, company: UUID, cursor: Cursor) -> int | None:
        return await self._totals.stored_upto(company, cursor)


def _balanced(stored: int, before: int, finished: int, totals: Totals) -> Ledger:
    """Nobody can tell whose the events were that are gone, but by what is missing of the company's."""
    missing = finished - before - totals.delivered - totals.filtered - totals.dead
    return Ledger(
        stored,
        before,
        totals.delivered,
        totals.filtered,
        totals.dead,
        expired=min(max(missing, 0), totals.expired),
        pending=stored - finished,
    )
