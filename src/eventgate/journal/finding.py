"""Finding one event in the journal by its id: where it stands, and when and with which digest it was committed.

Touches PostgreSQL, reading only.
"""

from typing import NamedTuple
from uuid import UUID

import asyncpg

from eventgate.db.pool import translated
from eventgate.event import Event
from eventgate.journal.cursors import Cursor
from eventgate.journal.stored_rows import COLUMNS, event_of
from eventgate.journal.times import ms_of

_COLUMNS = ", ".join(f"e.{name}" for name in COLUMNS.split(", "))


class Committed(NamedTuple):
    """An event where the journal has it; ``committed`` is in milliseconds, ``digest`` the chain's at its position."""

    event: Event
    place: Cursor
    committed: int
    digest: bytes


async def find(pool: asyncpg.Pool, company: UUID, event: UUID) -> Committed | None:
    """A company's event, None where it has none of that id (any more). Raises Unavailable."""
    with translated():
        row = await pool.fetchrow(
            f"""SELECT {_COLUMNS}, j.position, j.committed, j.digest
                FROM events e JOIN journal j ON j.batch = e.batch WHERE e.company = $1 AND e.id = $2""",  # noqa: S608 - ours
            company, event,
        )  # fmt: skip
    if row is None:
        return None
    return Committed(event_of(row), Cursor(row["position"], row["index"]), ms_of(row["committed"]), row["digest"])
