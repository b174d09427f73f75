"""Which alert codes a company's sensors have really sent, in the catalogue or not.

Touches PostgreSQL (reads events).
"""

from typing import NamedTuple
from uuid import UUID

import asyncpg

from eventgate.db.pool import translated
from eventgate.ids import uuid7_ms

# From each code straight to the next along the index (company, code, id): a step costs the same however many alerts
# there are. Then the newest alert of each.
_OBSERVED = """
WITH RECURSIVE step (code) AS (
    (SELECT code FROM events WHERE company = $1 AND code > '' ORDER BY code LIMIT 1)
    UNION ALL
    SELECT (SELECT code FROM events WHERE company = $1 AND code > step.code ORDER BY code LIMIT 1)
    FROM step WHERE step.code IS NOT NULL
)
SELECT step.code, newest.category, newest.severity, newest.id
FROM step CROSS JOIN LATERAL (
    SELECT category, severity, id FROM events WHERE company = $1 AND code = step.code ORDER BY id DESC LIMIT 1
) AS newest
ORDER BY step.code
"""


class ObservedCode(NamedTuple):
    """A code and what the newest alert that carries it says; ``last_seen`` is that alert's time in milliseconds."""

    code: str
    category: int
    severity: int
    last_seen: int


async def observed_codes(pool: asyncpg.Pool, company: UUID) -> list[ObservedCode]:
    """Every code of the company's stored alerts, by code. Raises Unavailable."""
    with translated():
        rows = await pool.fetch(_OBSERVED, company)
    return [ObservedCode(row["code"], row["category"], row["severity"], uuid7_ms(row["id"])) for row in rows]
