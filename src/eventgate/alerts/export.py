"""Everything a query selects, newest first, however much that is: short pages, one after the other.

Touches PostgreSQL (reads events). No connection and no snapshot is held between two pages.
"""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import asyncpg

from eventgate.alerts.scope import Scope
from eventgate.alerts.search import ALERTS
from eventgate.alerts.stored import COLUMNS, SensorNamesOf, StoredEvent, stored_event
from eventgate.alerts.walk import walk
from eventgate.alerts.windows import Partitions, Windows
from eventgate.clock import Clock
from eventgate.db.pool import translated
from eventgate.event import Kind
from eventgate.query import Query
from eventgate.query.fieldtypes import IdRange

PAGE = 200
"""Events read at a time: of the largest there can be, that is 14 MB."""

_PAGE_SECONDS = 10.0


class Export:
    """Reads on and on; an event that arrives meanwhile is in it where its time lies ahead of the reading."""

    def __init__(self, pool: asyncpg.Pool, names_of: SensorNamesOf, partitions: Partitions, clock: Clock) -> None:
        self._pool = pool
        self._names_of = names_of
        self._partitions = partitions
        self._clock = clock

    async def pages(
        self, company: UUID, query: Query, kinds: Sequence[Kind] = ALERTS
    ) -> AsyncIterator[Sequence[StoredEvent]]:
        """Pages of events; an empty one only says that the search goes on. Raises Unavailable."""
        scope = Scope(company, query, await self._names_of(company), kinds)
        low, high = scope.where.ids
        while not scope.where.impossible:
            with translated():
                windows = Windows(await self._partitions.within(IdRange(low, high)), newest_first=True)
                walked = await walk(
                    self._pool, self._clock, scope, windows,
                    columns=COLUMNS, limit=PAGE, newest_first=True,
                    until=self._clock.monotonic() + _PAGE_SECONDS,
                )  # fmt: skip
            names = await self._names_of(company)
            yield [stored_event(row, names) for row in walked.rows]
            if walked.stopped_at is not None:
                high = walked.stopped_at
            elif len(walked.rows) == PAGE:
                high = walked.rows[-1]["id"]
            else:
                break
