"""Fifty alerts of one company over five days, and a few of another: what the tests of searching search in."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from uuid import UUID

import asyncpg

from eventgate.alerts.search import SETTINGS
from eventgate.db.pool import open_pool
from eventgate.event import Event, Kind, Origin, SensorNames
from eventgate.ids import uuid7
from eventgate.journal.rows import COLUMNS, copy_body, pack

OURS, THEIRS = UUID(int=1), UUID(int=2)
LOBBY, YARD = UUID(int=11), UUID(int=12)
NAMES = {LOBBY: SensorNames("EG-0001", "Lobby"), YARD: SensorNames("EG-0002", None)}
LAST_DAY = datetime(2025, 11, 21, tzinfo=UTC)
DAYS = 5


def an_event(number: int, company: UUID = OURS, **changes: object) -> Event:
    """Event ``number``: ten a day, the newest has number 0; every third is from the yard."""
    timestamp = int((LAST_DAY + timedelta(hours=20) - timedelta(hours=2.4 * number)).timestamp() * 1000)
    whole = Event(
        company=company,
        id=uuid7(timestamp, sha256(f"{company}{number}".encode()).digest()),
        kind=Kind.ALERT,
        sensor=YARD if number % 3 == 0 else LOBBY,
        timestamp=timestamp,
        received=timestamp + 5,
        code="DEAUTHFLOOD" if number % 2 else "APSPOOF",
        category=1 if number % 2 else 2,
        severity=number % 11,
        message=f"alert number {number}",
        data=b'{"number": %d}' % number,
        event_id=f"event-{number}",
        sequence=number,
        key=None,
        verify_key=None,
        content_digest=sha256(b"%d" % number).digest(),
        origin=Origin.SENSOR,
        raw=b"{}",
    )
    return whole._replace(**changes)


async def store(pool: asyncpg.Pool, events: Sequence[Event], batch: int = 1) -> None:
    async with pool.acquire() as connection:
        source = BytesIO(copy_body(batch, pack(events)))
        await connection.copy_to_table("events", source=source, columns=COLUMNS.split(", "), format="binary")


@asynccontextmanager
async def alerts_stored(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    opened = await open_pool(database_url, size=4, settings=SETTINGS)
    await opened.execute("SELECT ensure_event_days($1, $2)", (LAST_DAY - timedelta(days=DAYS)).date(), LAST_DAY.date())
    await store(opened, [an_event(number) for number in range(50)])
    await store(opened, [an_event(number, THEIRS) for number in range(7)])
    await store(
        opened, [an_event(0, id=uuid7(1_763_683_199_999), kind=Kind.HEARTBEAT, code=None, category=None, severity=None)]
    )
    yield opened
    await opened.close()


async def names_of(company: UUID) -> Mapping[UUID, SensorNames]:
    return NAMES if company == OURS else {}
