"""Reading the audit log: a page of the lines that a query selects, newest first.

Touches PostgreSQL (reads audit). A search goes through the log in stretches until the page is full or its time is up,
so that a filter which no index serves costs a bounded time and still says where to go on.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from eventgate.access.audit.lines import AuditLine
from eventgate.clock import Clock
from eventgate.db.pool import Row, translated
from eventgate.errors import Unavailable
from eventgate.ids import first_id, uuid7_ms
from eventgate.query import Query
from eventgate.query.paging import Page, PageRequest, beside, following, offset_too_deep, previous

DEADLINE_SECONDS = 2.0
_TOTAL_SECONDS, _EXACT_TOTAL_SECONDS = 0.1, 60.0
_LEAST_SECONDS = 0.1
_ENOUGH = 10_000
"""Nobody reads further; from here on a total is a lower bound."""

STRETCH = 2_000
"""Lines that are looked at together: few enough that a pass over them never takes long."""

_LOWEST, _HIGHEST = UUID(int=0), UUID(int=(1 << 128) - 1)

_AS_THEY_ARE = """
(SELECT id, company, action, object_id, actor, user_id, key, session, remote, request_id, before, after
 FROM audit WHERE $1::uuid IS NULL) AS lines
"""
_OF_A_COMPANY = """
(SELECT id, company, action, object_id, before, after, request_id,
        CASE WHEN actor_company = company THEN actor ELSE 'operator' END AS actor,
        CASE WHEN actor_company = company THEN user_id END AS user_id,
        CASE WHEN actor_company = company THEN key END AS key,
        CASE WHEN actor_company = company THEN session END AS session,
        CASE WHEN actor_company = company THEN remote ELSE '' END AS remote
 FROM audit WHERE company = $1::uuid) AS lines
"""
"""What a filter is asked of is what is shown: what is hidden cannot be guessed by filtering either."""

_COLUMNS = "id, company, action, object_id, actor, user_id, key, session, remote, request_id, before, after"


@dataclass(frozen=True, slots=True)
class _Search:
    """What one search selects: lines of ids from ``low`` up to ``high``; $1 is the company, $2 and $3 are the ends."""

    company: UUID | None
    low: UUID
    high: UUID
    test: str
    values: Sequence[object]

    @property
    def lines(self) -> str:
        return _AS_THEY_ARE if self.company is None else _OF_A_COMPANY


@dataclass(slots=True)
class _Walked:
    """What was found; ``stopped_at`` is None at the end, else up to there everything was looked at."""

    rows: list[Row] = field(default_factory=list)
    stopped_at: UUID | None = None


class AuditLog:
    """Searches the log. Every call raises Unavailable where the database is away."""

    def __init__(
        self, pool: asyncpg.Pool, clock: Clock, *, deadline_seconds: float = DEADLINE_SECONDS, stretch: int = STRETCH
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._deadline_seconds = deadline_seconds
        self._stretch = stretch

    async def page(self, company: UUID | None, query: Query, asked: PageRequest) -> Page[AuditLine]:
        """One page of a company's lines; None: of everybody's, as the operator sees them.

        Raises CallerError 422 ``offset-too-deep`` where an offset is not reached within the deadline.
        """
        low, high = query.ids
        test, values = query.tests(first_parameter=4)
        search = _Search(company, low or _LOWEST, high or _HIGHEST, test, values)
        if search.low >= search.high:
            return Page((), 0, total_is_exact=True, complete=True, next=None, previous=None)
        with translated():
            walked, (total, is_exact) = await asyncio.gather(
                self._walk(search, asked), self._count(search, exact=asked.exact_total)
            )
            wanted = asked.offset + asked.limit
            rows, more = walked.rows[:wanted], len(walked.rows) > wanted
            if not more and walked.stopped_at is None and asked.after is None and asked.before is None:
                total, is_exact = len(walked.rows), True  # the page itself came to the end
            if asked.offset:
                rows = await self._skip(search, rows, asked, walked)
        if asked.before is not None:
            rows.reverse()
        ids = [row["id"] for row in rows]
        return Page(
            [_line(row) for row in rows],
            max(total, asked.offset + len(rows) if rows else 0),
            total_is_exact=is_exact,
            complete=walked.stopped_at is None,
            next=following(asked, ids, more=more, stopped_at=walked.stopped_at),
            previous=previous(asked, ids, more=more, stopped_at=walked.stopped_at),
        )

    async def _walk(self, search: _Search, asked: PageRequest) -> _Walked:
        newest_first = asked.before is None
        low, high = search.low, search.high
        if asked.after is not None:
            high = min(high, asked.after)
        if asked.before is not None:
            low = max(low, beside(asked.before, 1))
        order, wanted = "DESC" if newest_first else "ASC", asked.offset + asked.limit + 1
        columns = "id" if asked.offset else _COLUMNS
        # Put together of our own SQL (S608); every value in it is a numbered parameter.
        end = f"SELECT id FROM {search.lines} WHERE id >= $2 AND id < $3 ORDER BY id {order} OFFSET {self._stretch - 1} LIMIT 1"  # noqa: S608, E501
        found = f"SELECT {columns} FROM {search.lines} WHERE id >= $2 AND id < $3 AND {search.test} ORDER BY id {order}"  # noqa: S608
        walked, until = _Walked(), self._clock.monotonic() + self._deadline_seconds
        async with self._pool.acquire() as connection:
            while low < high:
                left = max(until - self._clock.monotonic(), _LEAST_SECONDS)
                try:
                    last = await connection.fetchval(end, search.company, low, high, timeout=left)
                    stretch = (low, high)
                    if last is not None:
                        stretch = (last, high) if newest_first else (low, beside(last, 1))
                    walked.rows += await connection.fetch(
                        f"{found} LIMIT {wanted - len(walked.rows)}", search.company, *stretch, *search.values,
                        timeout=left,
                    )  # fmt: skip
                except TimeoutError:
                    if walked.stopped_at is None:
                        raise _too_slow(
                            "The database is too slow to search at the moment. Try again shortly."
                        ) from None
                    return walked
                if len(walked.rows) >= wanted or last is None:
                    walked.stopped_at = None
                    return walked
                walked.stopped_at = last
                low, high = (low, last) if newest_first else (stretch[1], high)
                if self._clock.monotonic() >= until:
                    return walked
        walked.stopped_at = None
        return walked

    async def _skip(self, search: _Search, rows: Sequence[Row], asked: PageRequest, walked: _Walked) -> list[Row]:
        """Read the lines after an offset, of which only the ids are known."""
        if walked.stopped_at is not None and len(rows) <= asked.offset:
            raise offset_too_deep(self._deadline_seconds, len(rows), asked.offset)
        statement = f"SELECT {_COLUMNS} FROM {search.lines} WHERE id = ANY($2) ORDER BY id DESC"  # noqa: S608 - ours
        return list(await self._pool.fetch(statement, search.company, [row["id"] for row in rows[asked.offset :]]))

    async def _count(self, search: _Search, *, exact: bool) -> tuple[int, bool]:
        """How many lines match, and whether that is exact; for a short time only, unless it is insisted on."""
        limit = "" if exact else f"LIMIT {_ENOUGH + 1}"
        counting = f"SELECT FROM {search.lines} WHERE id >= $2 AND id < $3 AND {search.test} {limit}"
        statement = f"SELECT count(*) FROM ({counting}) AS found"  # noqa: S608 - as above
        seconds = _EXACT_TOTAL_SECONDS if exact else _TOTAL_SECONDS
        arguments: tuple[Any, ...] = (search.company, search.low, search.high, *search.values)
        try:
            counted: int = await self._pool.fetchval(statement, *arguments, timeout=seconds)
        except TimeoutError:
            if exact:
                raise _too_slow("Counting every match takes too long; ask without total=exact.") from None
            return 0, False
        return (counted, True) if exact or counted <= _ENOUGH else (_ENOUGH, False)


async def forget_lines(pool: asyncpg.Pool, *, older_than_ms: int) -> None:
    """Delete the lines from before a moment. Raises Unavailable."""
    with translated():
        await pool.execute("DELETE FROM audit WHERE id < $1", first_id(older_than_ms))


def _line(row: Row) -> AuditLine:
    id_, company, *rest = row.values()
    return AuditLine(id_, company, uuid7_ms(id_), *rest)


def _too_slow(detail: str) -> Unavailable:
    return Unavailable("search-too-slow", detail)
