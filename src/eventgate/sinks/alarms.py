"""What is wrong with sinks at the moment, and the system alerts about it that are still to be appended to the journal.

Touches PostgreSQL (the tables sink_alarms and system_alerts_waiting). An alarm and the alert about its beginning or its
end are one transaction: each change of state is told once, whoever is killed when.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from eventgate.db.pool import transaction, translated
from eventgate.ids import uuid7
from eventgate.journal.times import ms_of, timestamp_of
from eventgate.query.shown import shown_text

CURSOR_LOST = "EG-SINK-CURSOR-LOST"
UNBALANCED = "EG-SINK-UNBALANCED"
EXPIRED = "EG-SINK-EXPIRED"
REFUSED = "EG-SINK-REFUSED"
FAILING = "EG-SINK-FAILING"
CERTIFICATE = "EG-SINK-CERTIFICATE"
RECOVERED = "EG-SINK-RECOVERED"
"""Told of the end of any of the others."""

CODES = (CURSOR_LOST, UNBALANCED, EXPIRED, REFUSED, FAILING, CERTIFICATE)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong with one sink."""

    sink: str
    code: str
    detail: str
    began_at: datetime


@dataclass(frozen=True, slots=True)
class WaitingAlert:
    """A system alert that the journal does not have yet; ``data`` is JSON in canonical form."""

    id: UUID
    company: UUID
    code: str
    message: str
    data: bytes
    at: int


class Alarms:
    """The alarms of all sinks. Every call raises Unavailable where the database is away."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def begin(self, sink: str, code: str, detail: str, *, company: UUID | None, at: int) -> bool:
        """Note that something is wrong from ``at`` on, and alert ``company``; False where that is known already."""
        shown = shown_text(detail)[:2000]
        async with transaction(self._pool) as connection:
            new = await connection.fetchval(
                """INSERT INTO sink_alarms (sink, code, detail, began_at) VALUES ($1, $2, $3, $4)
                   ON CONFLICT DO NOTHING RETURNING true""",
                sink, code, shown, timestamp_of(at),
            )  # fmt: skip
            if new:
                await _alert(connection, company, code, f"Sink {sink}: {shown}", {"sink": sink}, at)
        return bool(new)

    async def end(self, sink: str, code: str, *, company: UUID | None, at: int) -> Alarm | None:
        """Note that it is over, and alert; the alarm that it was, None where there was none."""
        async with transaction(self._pool) as connection:
            row = await connection.fetchrow(
                "DELETE FROM sink_alarms WHERE sink = $1 AND code = $2 RETURNING detail, began_at", sink, code
            )
            if row is None:
                return None
            seconds = max(at - ms_of(row["began_at"]), 0) // 1000
            message = f"Sink {sink}: {code} is over after {seconds} s. It was: {row['detail']}"
            data = {"sink": sink, "code": code, "seconds": seconds}
            await _alert(connection, company, RECOVERED, message, data, at)
        return Alarm(sink, code, row["detail"], row["began_at"])

    async def of(self, sink: str | None) -> list[Alarm]:
        """What is wrong now with a sink, or with any (None), of those that are configured; the oldest first."""
        with translated():
            rows = await self._pool.fetch(
                """SELECT sink, code, detail, began_at FROM sink_alarms JOIN sinks ON name = sink
                   WHERE configured AND ($1::text IS NULL OR sink = $1) ORDER BY began_at, code""",
                sink,
            )
        return [Alarm(*row.values()) for row in rows]

    async def waiting(self) -> Sequence[WaitingAlert]:
        """System alerts to be appended, the oldest first."""
        with translated():
            rows = await self._pool.fetch("SELECT * FROM system_alerts_waiting ORDER BY at, id LIMIT 100")
        return [
            WaitingAlert(
                row["id"], row["company"], row["code"], row["message"],
                orjson.dumps(orjson.loads(row["data"]), option=orjson.OPT_SORT_KEYS), ms_of(row["at"]),
            )
            for row in rows
        ]  # fmt: skip

    async def told(self, alerts: Sequence[UUID]) -> None:
        """The journal has these."""
        with translated():
            await self._pool.execute("DELETE FROM system_alerts_waiting WHERE id = ANY($1::uuid[])", alerts)


async def _alert(  # noqa: PLR0917 - one row
    connection: asyncpg.Connection, company: UUID | None, code: str, message: str, data: dict[str, Any], at: int
) -> None:
    """Without a company there is nobody to alert: the log and the metrics have it all the same."""
    if company is not None:
        await connection.execute(
            "INSERT INTO system_alerts_waiting (id, company, code, message, data, at) VALUES ($1, $2, $3, $4, $5, $6)",
            uuid7(at), company, code, message, orjson.dumps(data).decode(), timestamp_of(at),
        )  # fmt: skip
