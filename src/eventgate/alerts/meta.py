"""What a query selects, in numbers: how many, from when to when, by category, code, severity and sensor, and over time.

Touches PostgreSQL (reads events).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from eventgate.alerts import counts
from eventgate.alerts.counts import Count
from eventgate.alerts.scope import Scope
from eventgate.alerts.search import ALERTS, DEADLINE_SECONDS
from eventgate.alerts.stored import SensorNamesOf
from eventgate.alerts.walk import Walked, visit, walk
from eventgate.alerts.windows import Partitions, Window, Windows
from eventgate.clock import Clock
from eventgate.db.pool import translated
from eventgate.event import Kind, SensorNames
from eventgate.ids import uuid7_ms
from eventgate.query import Query

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_BUCKETS = (_MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 3 * _HOUR, 6 * _HOUR, _DAY)
_MOST_BUCKETS = 96

_COUNT = """
SELECT (extract(epoch FROM bucket) * 1000)::bigint, code, category, severity, sensor, count(*)
FROM events, date_bin('{width} milliseconds', uuid_extract_timestamp(id), 'epoch') AS bucket
WHERE {conditions} GROUP BY GROUPING SETS ((bucket), (code, category, severity), (sensor))
"""


@dataclass(slots=True)
class Meta:
    """Counts over what a query selects. Times are milliseconds.

    ``histogram`` counts by the start of each bucket of ``bucket_ms``, empty ones left out. Where ``complete`` is False,
    the deadline came first: everything here is about what is newer than ``counted_from``.
    """

    total: int = 0
    first: int | None = None
    last: int | None = None
    by_category: Counter[int] = field(default_factory=Counter)
    by_code: Counter[str] = field(default_factory=Counter)
    by_severity: Counter[int] = field(default_factory=Counter)
    by_sensor: Counter[UUID] = field(default_factory=Counter)
    names: dict[UUID, SensorNames] = field(default_factory=dict)
    bucket_ms: int = _DAY
    histogram: Counter[int] = field(default_factory=Counter)
    complete: bool = True
    counted_from: int | None = None

    def add(self, counts: Iterable[Count]) -> None:
        """Add counts of one bucket, of one sensor, or of one code with its category and severity."""
        for bucket, code, category, severity, sensor, events in counts:
            if bucket is not None:
                self.histogram[bucket] += events
            elif sensor is not None:
                self.by_sensor[sensor] += events
            else:
                self.total += events
                if code is not None:  # only alerts have these three
                    self.by_code[code] += events
                    self.by_category[category] += events
                    self.by_severity[severity] += events


class AlertMeta:
    """Counts over a pool opened with the search's SETTINGS."""

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

    async def meta(self, company: UUID, query: Query, kinds: Sequence[Kind] = ALERTS) -> Meta:
        """Count what the query selects, newest first, until the deadline. Raises Unavailable."""
        names = await self._names_of(company)
        scope = Scope(company, query, names, kinds)
        until = self._clock.monotonic() + self._deadline_seconds
        if scope.where.impossible:
            return Meta()
        with translated():
            # The newest and the oldest match say how wide the buckets are; what lies beyond them needs no look.
            newest = await self._outermost(scope, newest_first=True, until=until)
            if not newest.rows:
                return Meta(complete=newest.stopped_at is None, counted_from=_ms(newest.stopped_at))
            oldest = await self._outermost(scope, newest_first=False, until=until)
            last: UUID = newest.rows[0]["id"]
            first: UUID | None = oldest.rows[0]["id"] if oldest.rows else None
            meta = Meta(last=uuid7_ms(last), first=_ms(first))
            meta.bucket_ms = _bucket(uuid7_ms(first or oldest.stopped_at or last), uuid7_ms(last))
            windows = [
                window
                for window in await self._partitions.within(scope.where.ids)
                if window.low <= last and window.high > (first or oldest.stopped_at or last)
            ]
            await self._count(meta, scope, windows, until, by_day=meta.bucket_ms == _DAY and counts.answers(query))
        meta.names = {sensor: names[sensor] for sensor in meta.by_sensor if sensor in names}
        return meta

    async def _outermost(self, scope: Scope, *, newest_first: bool, until: float) -> Walked:
        now = self._clock.monotonic()
        windows = Windows(await self._partitions.within(scope.where.ids), newest_first=newest_first)
        return await walk(
            self._pool, self._clock, scope, windows,
            columns="id", limit=1, newest_first=newest_first, until=now + (until - now) / 2,
        )  # fmt: skip

    async def _count(self, meta: Meta, scope: Scope, all_: Sequence[Window], until: float, *, by_day: bool) -> None:
        statement = _COUNT.format(conditions=scope.conditions, width=meta.bucket_ms)
        late = statement.replace("GROUP BY", f"AND batch = ANY(${scope.next_parameter}::bigint[]) GROUP BY")
        async with self._pool.acquire() as connection:
            known = await counts.counted(connection, scope, all_) if by_day else counts.Counted()

            async def ask(window: Window, seconds: float) -> list[Count]:
                parameters = scope.parameters(window)
                if window in known.days:
                    # The driver has no types: what it fetches is Any.
                    return await connection.fetch(late, *parameters, known.late, timeout=seconds)  # type: ignore[no-any-return]
                return await connection.fetch(statement, *parameters, timeout=seconds)  # type: ignore[no-any-return]

            asked = [window for window in all_ if known.late or window not in known.days]
            windows = Windows(asked, newest_first=True, together=False)
            async for window, rows in visit(self._clock, windows, ask, until=until):
                meta.add(rows)
                meta.counted_from = uuid7_ms(window.low)
            if windows:  # count no day that lies beyond those that were not reached
                meta.complete, meta.first = False, None
                reached = [day for day in known.days if uuid7_ms(day.low) >= (meta.counted_from or 0)]
                known = await counts.counted(connection, scope, reached)
            else:
                meta.counted_from = None
        meta.add(known.rows)


def _ms(id_: UUID | None) -> int | None:
    return None if id_ is None else uuid7_ms(id_)


def _bucket(first: int, last: int) -> int:
    """The narrowest bucket of which no more than enough are needed."""
    return next((width for width in _BUCKETS if (last - first) // width < _MOST_BUCKETS), _BUCKETS[-1])
