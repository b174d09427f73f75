"""Writes the registry of sensors.

Touches PostgreSQL (the table sensors).
"""

from uuid import UUID

import asyncpg

from eventgate.db.pool import translated

_INSERT = """
INSERT INTO sensors (company, id, serial, name) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING true
"""


async def register(
    connection: asyncpg.Connection | asyncpg.Pool, company: UUID, sensor: UUID, serial: str, name: str | None = None
) -> bool:
    """Add a sensor; False where the company has one of that id or serial number already. Raises Unavailable."""
    with translated():
        return bool(await connection.fetchval(_INSERT, company, sensor, serial, name))
