"""Searching what was stored: one event by its id, or a page of those that a query selects, newest first.

Touches PostgreSQL (reads events).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from eventgate.alerts.scope import Scope
from eventgate.alerts.stored import COLUMNS, SensorNamesOf, StoredEvent, stored_event
from eventgate.alerts.total import Total, count
from eventgate.alerts.walk import Walked, walk
from eventgate.alerts.windows import Partitions, Windows
from eventgate.clock import Clock
from eventgate.db.pool import Row, translated
from eventgate.errors import Unavailable
from eventgate.event import Kind
from eventgate.query import Query
from eventgate.query.fieldtypes import IdRange
from eventgate.query.paging import Page, PageRequest, beside, following, offset_too_deep, previous

SETTINGS = {"plan_cache_mode": "force_custom_plan"}
"""Session settings of the pool that searches: a plan is made for the values at hand, or it could prune no partition."""

DEADLINE_SECONDS = 2.0
TOTAL_SECONDS = 0.1
EXACT_TOTAL_SECONDS = 60.0

ALERTS = (Kind.ALERT,)
EVERY_KIND = tuple(Kind)


@dataclass(frozen=True, slots=True)
class _Found:
    """The rows of a page, newest first; whether there are more beyond it; where the walk gave up, if it did."""

    rows: list[Row]
    more: bool
    stopped_at: UUID | None


class AlertSearch:
    """Search over a pool opened with SETTINGS; ``names_of`` answers a company's sensors and their names."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        names_of: SensorNamesOf,
        partitions: Partitions,
        clock: Clock,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._pool = pool
        self._names_of = names_of
        self._partitions = partitions
        self._clock = clock
        self._deadline_seconds = deadline_seconds

    async def get(self, company: UUID, id_: UUID, kinds: Sequence[Kind] = EVERY_KIND) -> StoredEvent | None:
        """One event of the company; None where there is none, whoever else may have one of that id."""
        names = await self._names_of(company)
        with translated():
            row = await self._pool.fetchrow(
                f"SELECT {COLUMNS} FROM events WHERE company = $1 AND id = $2 AND kind = ANY($3)",  # noqa: S608 - ours
                company, id_, list(kinds),
            )  # fmt: skip
        return None if row is None else stored_event(row, names)

    async def page(
        self, company: UUID, query: Query, request: PageRequest, kinds: Sequence[Kind] = ALERTS
    ) -> Page[StoredEvent]:
        """One page of what the query selects.

        Raises CallerError 422 ``offset-too-deep`` where an offset is not reached within the deadline,
        Unavailable where the database is away.
        """
        names = await self._names_of(company)
        scope = Scope(company, query, names, kinds)
        if scope.where.impossible:
            return Page((), 0, total_is_exact=True, complete=True, next=None, previous=None)
        with translated():
            # Side by side: what a page costs and what its total costs do not add up.
            found, total = await asyncio.gather(
                self._find(scope, request), self._count(scope, exact=request.exact_total)
            )
        items = [stored_event(row, names) for row in found.rows]
        ids = [row["id"] for row in found.rows]
        return Page(
            items,
            max(total.matches, request.offset + len(items) if items else 0),
            total_is_exact=total.is_exact,
            complete=found.stopped_at is None,
            next=following(request, ids, more=found.more, stopped_at=found.stopped_at),
            previous=previous(request, ids, more=found.more, stopped_at=found.stopped_at),
        )

    async def _find(self, scope: Scope, request: PageRequest) -> _Found:
        newest_first = request.before is None
        low, high = scope.where.ids
        if request.after is not None:
            high = min(request.after, high or request.after)
        if request.before is not None:
            low = max(beside(request.before, 1), low or request.before)
        windows = Windows(await self._partitions.within(IdRange(low, high)), newest_first=newest_first)
        wanted = request.offset + request.limit
        walked = await walk(
            self._pool, self._clock, scope, windows,
            columns="id" if request.offset else COLUMNS,
            limit=wanted + 1,
            newest_first=newest_first,
            until=self._clock.monotonic() + self._deadline_seconds,
        )  # fmt: skip
        rows = walked.rows[:wanted]
        if request.offset:
            rows = await self._skip(scope, rows, request, walked)
        if not newest_first:
            rows.reverse()
        return _Found(rows, len(walked.rows) > wanted, walked.stopped_at)

    async def _skip(self, scope: Scope, rows: Sequence[Row], request: PageRequest, walked: Walked) -> list[Row]:
        """Read the rows after an offset, of which only the ids are known."""
        if walked.stopped_at is not None and len(rows) <= request.offset:
            raise offset_too_deep(self._deadline_seconds, len(rows), request.offset)
        statement = f"SELECT {COLUMNS} FROM events WHERE company = $1 AND id = ANY($2) ORDER BY id DESC"  # noqa: S608 - ours
        return list(await self._pool.fetch(statement, scope.company, [row["id"] for row in rows[request.offset :]]))

    async def _count(self, scope: Scope, *, exact: bool) -> Total:
        windows = Windows(await self._partitions.within(scope.where.ids), newest_first=True)
        if not exact:
            return await count(self._pool, self._clock, scope, windows, seconds=TOTAL_SECONDS)
        total = await count(self._pool, self._clock, scope, windows, seconds=EXACT_TOTAL_SECONDS, enough=None)
        if not total.is_exact:
            raise Unavailable("search-too-slow", "Counting every match takes too long; ask without total=exact.")
        return total
